"""Where *likely manipulated* begins on a user's own pictures: few false alarms in every source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.calibration import CurveCalibrator
from assistant.errors import ConfigError, TrainingError
from assistant.evaluation.detection_metrics import share_of
from assistant.evaluation.face_manifest import ManifestRow, hashed
from assistant.evaluation.listed import pictures_below
from assistant.evaluation.scoring import ScoredRow
from assistant.evaluation.tables import table
from assistant.interfaces import Calibrator

__all__ = ["LEAST_OF_SOURCE", "operating_points", "points_markdown", "source_rows"]

Array = NDArray[np.float64]
#: Fewer genuine pictures of a source set no threshold.
LEAST_OF_SOURCE = 20


def source_rows(folder: Path) -> list[ManifestRow]:
    """The pictures of a folder as rows, each sub-folder a source.

    With a sub-folder ``real`` its sub-folders are the genuine sources, and all under ``fake``
    (where there is one) is manipulated; without, all pictures of the folder are genuine. Pictures
    that lie in no sub-folder are a source of their own.

    Raises:
        TrainingError: the folder does not exist, or holds no genuine picture.
    """
    parted = (folder / "real").is_dir()
    places = {0: folder / "real", 1: folder / "fake"} if parted else {0: folder}
    rows: list[ManifestRow] = []
    for label, place in places.items():
        for path in pictures_below(place):
            inside = path.relative_to(place).parts
            source = inside[0] if len(inside) > 1 else place.name
            name = path.relative_to(folder).as_posix()
            line = len(rows) + 1
            rows.append(
                ManifestRow(line=line, name=name, path=path, label=label, source=source, video=name)
            )
    if not any(row.label == 0 for row in rows):
        raise TrainingError(
            f"The folder {folder} holds no genuine picture.",
            hint="Put genuine pictures into sub-folders, one a source: FOLDER/SOURCE/*.jpg, or "
            "FOLDER/real/SOURCE/*.jpg beside FOLDER/fake.",
            code="no-genuine",
        )
    return rows


def operating_points(
    scored: Sequence[ScoredRow], before: Calibrator, *, most: float = 0.05, weights_sha256: str = ""
) -> tuple[CurveCalibrator, dict[str, Any]]:
    """The curve as it is, with a threshold that flags at most ``most`` of every genuine source.

    A source's threshold lies just above its ``floor(most * n) + 1`` th highest probability, and
    never below 0.5; the highest of all sources counts. As it is chosen on the pictures that it is
    then told for, the report also tells the share that is flagged by the threshold of the other
    half of each source.

    Args:
        scored: rows with scores, manipulated ones if there are.
        before: the calibrator in use.
        most: share in (0, 1) of a source's genuine pictures that may be flagged.
        weights_sha256: of the detector, kept so that the points are not used with another one.

    Raises:
        ConfigError: the calibrator in use is not a curve.
        TrainingError: no source has 20 genuine pictures with a face.
    """
    if not isinstance(before, CurveCalibrator):
        raise ConfigError(
            f"Operating points need a calibration curve; {before.name} is none.",
            hint="Give --manifest with both classes, which fits a curve.",
        )
    sources = _by_source(scored, before, label=0)
    large = {name: p for name, p in sources.items() if len(p) >= LEAST_OF_SOURCE}
    small = {name: len(p) for name, p in sources.items() if name not in large}
    if not large:
        counts = ", ".join(f"{name} ({n})" for name, n in small.items()) or "none"
        raise TrainingError(
            f"No source has {LEAST_OF_SOURCE} genuine pictures with a face: {counts}.",
            hint="Add pictures, or put those of one origin into one sub-folder.",
            code="too-few-to-calibrate",
        )
    lower, shipped = before.thresholds
    upper = _threshold(large, most)
    lower = min(lower, upper)
    values = before.to_json()
    values["thresholds"] = [lower, upper]
    values["fitted_on"] = _kept(values["fitted_on"], moved=lower != before.thresholds[0]) | {
        "operating_points": {"most": most, "sources": {n: len(p) for n, p in large.items()}},
        "weights_sha256": weights_sha256,
    }
    report = {
        "schema": "whyfake.operating-points/1",
        "most": most,
        "thresholds": [lower, upper],
        "thresholds_before": list(before.thresholds),
        "sources": {
            name: {
                "n": len(p),
                "used": name in large,
                "flagged": _share(p >= upper),
                "flagged_before": _share(p >= shipped),
                "flagged_held_out": _share(_held_out(scored, before, name, most))
                if name in large
                else None,
            }
            for name, p in sources.items()
        },
        "manipulated": {
            name: {
                "n": len(p),
                "caught": _share(p >= upper),
                "caught_before": _share(p >= shipped),
                "no_sign": _share(p <= lower),
            }
            for name, p in _by_source(scored, before, label=1).items()
        },
        "no_face": sum(s.logit is None for s in scored),
        "warnings": [
            f"source {name} has {n} pictures with a face, under {LEAST_OF_SOURCE}: it sets no "
            "threshold"
            for name, n in small.items()
        ],
    }
    return CurveCalibrator.from_json(values), report


def points_markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""

    def cell(one: Mapping[str, float] | None) -> str:
        if one is None:
            return "-"
        return f"{one['share']:.0%} ({one['low']:.0%} to {one['high']:.0%})"

    (lower, upper), before = report["thresholds"], report["thresholds_before"]
    told = (
        f"Likely manipulated begins at {upper:.4f} (before: {before[1]:.4f}); no sign found ends "
        f"at {lower:.4f}. At most {report['most']:.0%} of each genuine source are flagged."
    )
    rows = [
        (
            f"{name}{'' if one['used'] else ' (too small)'}",
            one["n"],
            cell(one["flagged_before"]),
            cell(one["flagged"]),
            cell(one["flagged_held_out"]),
        )
        for name, one in report["sources"].items()
    ]
    head = ("genuine", "pictures", "flagged before", "flagged now (95 %)", "by the other half")
    parts = [told, table(head, rows)]
    if report["manipulated"]:
        rows = [
            (name, one["n"], cell(one["caught_before"]), cell(one["caught"]), cell(one["no_sign"]))
            for name, one in report["manipulated"].items()
        ]
        head = ("manipulated", "pictures", "caught before", "caught now (95 %)", "no sign found")
        parts.append(table(head, rows))
    if report["no_face"]:
        parts.append(f"{report['no_face']} pictures could not be scored.")
    parts += [f"Warning: {text}." for text in report["warnings"]]
    return "\n\n".join(parts)


def _by_source(
    scored: Sequence[ScoredRow], curve: CurveCalibrator, *, label: int
) -> dict[str, Array]:
    """Probabilities by source, as they are before any domain check."""
    logits: dict[str, list[float]] = {}
    for s in scored:
        if s.row.label == label:
            logits.setdefault(s.row.source, [])
            if s.logit is not None:
                logits[s.row.source].append(s.logit)
    return {name: curve.probabilities(np.array(v)) for name, v in sorted(logits.items())}


def _threshold(sources: Mapping[str, Array], most: float) -> float:
    """Rounded up to four digits, within 0.5 and 1."""
    highest = 0.5
    for probability in sources.values():
        allowed = int(np.floor(most * len(probability) + 1e-9))
        highest = max(highest, float(np.sort(probability)[::-1][allowed]) + 1e-6)
    return float(min(np.ceil(highest * 1e4) / 1e4, 1.0))


def _held_out(
    scored: Sequence[ScoredRow], curve: CurveCalibrator, source: str, most: float
) -> NDArray[np.bool_]:
    """Whether each picture of a source is flagged by the threshold of the half it is not in."""
    own = [s for s in scored if s.row.source == source and s.row.label == 0 and s.logit is not None]
    probability = curve.probabilities(np.array([s.logit for s in own]))
    half = np.array([hashed(s.row.video) % 2 for s in own])
    flagged = np.zeros(len(own), bool)
    for part in (0, 1):
        other = probability[half != part]
        if len(other):
            flagged[half == part] = probability[half == part] >= _threshold({"": other}, most)
    return flagged


def _kept(fitted_on: Mapping[str, Any], *, moved: bool) -> dict[str, Any]:
    """What still holds of a calibration's record where its thresholds are others."""
    kept = {k: v for k, v in fitted_on.items() if k not in {"misses", "told", "kinds"}}
    if not moved and "misses" in fitted_on:
        kept["misses"] = [
            {k: v for k, v in one.items() if k != "caught"} for one in fitted_on["misses"]
        ]
    return kept


def _share(flagged: NDArray[np.bool_]) -> dict[str, float]:
    return share_of(int(flagged.sum()), len(flagged))
