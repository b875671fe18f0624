"""``whyfake eval maps`` and ``whyfake eval region-baseline``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.declare import command, option
from assistant.cli.options import (
    json_option,
    out_option,
    pictures_option,
    seed_option,
    settings_of,
    write_result,
)

if TYPE_CHECKING:
    from assistant.evaluation.known_masks import AlignedFace, KnownMask
    from assistant.interfaces import Attributor, Calibrator, Detector
    from assistant.settings import Settings

__all__ = ["maps", "region_baseline"]

_PICTURES = "Pictures of untouched faces: CSV with a path column, or one path a line."


@command("maps")
def maps(
    context: click.Context,
    manifest: Path | None = pictures_option(
        f"{_PICTURES} Default: the portraits that installed packages ship."
    ),
    limit: int = option("At most this many faces.", 120, least=1),
    deep: int = option(
        "Samples with deletion and insertion; half of them with the sanity check and the methods "
        "that score many crops.",
        12,
        least=1,
    ),
    only: tuple[str, ...] = option("Measure these only (and random).", name="--method"),
    rounds: int | None = option(
        "Samples of each kind a face, blended and laid in anew. Default: 1, and 3 without "
        "a manifest, where there are few faces.",
        least=1,
        most=20,
    ),
    sanity: str = option(
        "What the sanity check randomises: the LayerNorms, the read-out, or each in turn.",
        "both",
        type=click.Choice(["norms", "read-out", "both"]),
    ),
    parts: bool = option(
        "Measure only whether an exchanged part is the first one told, by cause, map and cues."
    ),
    seed: int = seed_option("Of donors, blends and noise."),
    as_json: bool = json_option("Print the result as JSON."),
    out: Path | None = out_option("Write the JSON here."),
    page: Path | None = option(
        "Write a page of pictures here. It shows the faces of the manifest."
    ),
) -> None:
    """Measure heat maps against known masks, beside random and a centre prior."""
    from assistant.compose import build_detector, region_baseline
    from assistant.evaluation.known_masks import KINDS, PART_KINDS, sample_rounds
    from assistant.evaluation.map_counterfactuals import evaluate_counterfactuals
    from assistant.evaluation.maps import able, evaluate_maps
    from assistant.evaluation.maps_report import maps_json, maps_markdown, told_first_table
    from assistant.evaluation.pages import maps_page

    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    methods = _methods(only, settings.plugins)
    faces, source = _faces(settings, manifest, limit, detector)
    samples = sample_rounds(
        faces,
        rounds or (3 if manifest is None else 1),
        kinds=PART_KINDS if parts else KINDS,
        seed=seed,
    )
    if parts:
        result = {
            "schema": "whyfake.eval-parts/1",
            "faces": source,
            "weights_sha256": detector.weights_sha256,
            "told_first": _told_first(settings, detector, calibrator, samples),
        }
        write_result(
            result, out, as_json=as_json, told=lambda found: told_first_table(found["told_first"])
        )
        return
    methods, left_out = able(detector, methods, faces[0].crop)
    _check_named(only, left_out)
    baseline = region_baseline(settings, detector)
    table = evaluate_maps(
        detector,
        calibrator,
        samples,
        methods,
        randomised=_randomised(detector, seed, sanity),
        baselines={} if baseline is None else {settings.attributor: baseline.limits},
        deep=deep,
        seed=seed,
    )
    result = maps_json(
        table,
        {m.name: m.class_specific for m in methods},
        detector={**detector.provenance(), "weights_sha256": detector.weights_sha256},
        source=source,
        default=settings.attributor,
        left_out=left_out,
    )
    first = [row for row in table.rows if row.method == table.methods[0]]
    swaps = [s for s in samples if s.region]
    flagged = [s for s, row in zip(samples, first, strict=True) if s.region and row.flagged]
    result["counterfactuals"] = {
        "over": "flagged" if flagged else "all",
        "methods": evaluate_counterfactuals(detector, calibrator, (flagged or swaps)[:deep]),
    }
    if page is not None:
        page.write_text(maps_page(table, result), encoding="utf-8")
    write_result(result, out, as_json=as_json, told=maps_markdown)


@command("region-baseline")
def region_baseline(
    context: click.Context,
    manifest: Path = pictures_option(_PICTURES, required=True),
    limit: int = option("At most this many faces.", 400, least=1),
    out: Path = out_option("Where to write it.", "weights/region-baseline.json"),
) -> None:
    """Measure what the default map shows on untouched faces: only more than that is named."""
    from tqdm import tqdm

    from assistant import registry
    from assistant.attribution.regions import (
        BASELINE_QUANTILES,
        BASELINE_SCHEMA,
        baseline_from,
        find_regions,
    )
    from assistant.compose import build_detector

    settings = settings_of(context)
    detector, _ = build_detector(settings)
    attributor = registry.load("attributors", settings.attributor, plugins=settings.plugins)()
    faces, _ = _faces(settings, manifest, limit, detector)
    findings = []
    for face in tqdm(faces, "faces"):
        heat = attributor.attribute(detector, face.crop).map
        findings.append(find_regions(heat, face.crop_landmarks))
    quantiles, limits = baseline_from(findings)
    content = {
        "schema": BASELINE_SCHEMA,
        "attributor": attributor.name,
        "weights_sha256": detector.weights_sha256,
        "faces": len(faces),
        "quantiles": list(BASELINE_QUANTILES),
        "regions": quantiles,
        "limits": limits,
    }
    judged = getattr(detector, "card", {}).get("leave_out", {})
    if "map_share" in judged:
        content["map_share"] = judged["map_share"]
    out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    click.echo(f"Region shares of {len(faces)} untouched faces are in {out}.")


def _told_first(
    settings: Settings, detector: Detector, calibrator: Calibrator, samples: Sequence[KnownMask]
) -> dict[str, Any]:
    from assistant import registry
    from assistant.compose import build_cues, region_baseline
    from assistant.evaluation.map_counterfactuals import told_first

    known = region_baseline(settings, detector)
    return told_first(
        detector,
        calibrator,
        samples,
        registry.load("attributors", settings.attributor, plugins=settings.plugins)(),
        baseline=None if known is None else known.limits,
        cues=build_cues(settings),
    )


def _methods(only: tuple[str, ...], plugins: Any) -> list[Attributor]:
    from assistant import registry

    names = list(only) or [plugin.name for plugin in registry.listing("attributors")]
    names += [name for name in ("random",) if name not in names]
    return [registry.load("attributors", name, plugins=plugins)() for name in names]


def _faces(
    settings: Any, manifest: Path | None, limit: int, detector: Detector
) -> tuple[list[AlignedFace], str]:
    from assistant.compose import build_finder
    from assistant.errors import TrainingError
    from assistant.evaluation.map_faces import aligned_faces, manifest_pictures, shipped_pictures

    pictures = shipped_pictures() if manifest is None else manifest_pictures(manifest, limit=limit)
    faces = aligned_faces(pictures[:limit], build_finder(settings), detector.crop_spec)
    if not faces:
        raise TrainingError(
            f"No face was found in {len(pictures)} pictures, so there is nothing to measure.",
            hint="Name pictures with faces in the manifest.",
            code="no-faces",
        )
    what = "portraits that installed packages ship" if manifest is None else manifest.name
    return faces, f"{len(faces)} faces ({what})"


def _check_named(only: tuple[str, ...], left_out: dict[str, str]) -> None:
    """A method that was asked for by name and cannot be measured is an error, not a gap."""
    from assistant.errors import InferenceError

    for name in only:
        if name in left_out:
            raise InferenceError(left_out[name], hint="Leave out this --method.", code="method")


def _randomised(detector: Detector, seed: int, what: str) -> dict[str, Detector]:
    """The controls of the sanity check; none for detectors that have no LayerNorms of ours."""
    module = sys.modules.get("assistant.detectors.clip_ln")  # not imported: not this detector
    if module is None or not isinstance(detector, module.ClipLnDetector):
        return {}
    from assistant.detectors.randomised import with_random_norms, with_random_read_out

    controls: dict[str, Detector] = {}
    if what in ("norms", "both"):
        controls["sanity_spearman"] = with_random_norms(detector, seed=seed)
    if what in ("read-out", "both"):
        controls["sanity_read_out"] = with_random_read_out(detector, seed=seed)
    return controls
