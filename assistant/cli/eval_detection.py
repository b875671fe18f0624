"""``whyfake eval`` of detectors, and ``whyfake compare``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.declare import FOLDER, argument, command, option
from assistant.cli.options import (
    base_and_finder,
    finder_and_scorer,
    json_option,
    manifest_option,
    seed_option,
    settings_of,
    work_option,
    write_result,
)

__all__ = [
    "anomalies",
    "compare",
    "cross_dataset",
    "detection",
    "false_alarms",
    "framing",
    "leave_out",
    "robustness",
    "shortcuts",
    "zero_shot",
]

_RESULT = "Print the result as JSON."
_RESAMPLES = option("Bootstrap draws.", 400, least=10)
_ROWS = option("At most this many rows.", 400, least=2)


@command("detection")
def detection(
    context: click.Context,
    manifest: Path = manifest_option(
        "CSV: path,label[,source,video,family,split,crop]; paths are relative to it."
    ),
    as_json: bool = json_option(_RESULT),
    scores: Path | None = option("Write the score of every row here (CSV)."),
    plots: Path | None = option("Write plots here.", type=FOLDER),
    resamples: int = _RESAMPLES,
) -> None:
    """Score a manifest and report by source, family, video and overall."""
    from assistant.evaluation.detection import evaluate
    from assistant.evaluation.detection_report import markdown, write_plots
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.scoring import write_scores

    rows = read_manifest(manifest)
    result, scored = evaluate(rows, *finder_and_scorer(context), resamples=resamples)
    if scores is not None:
        write_scores(scored, scores)
    if plots is not None:
        write_plots(scored, result, plots)
    write_result(result, None, as_json=as_json, told=markdown)


@command("robustness")
def robustness(
    context: click.Context,
    manifest: Path = manifest_option(),
    limit: int = _ROWS,
    seed: int = seed_option("Of the choice of rows."),
    as_json: bool = json_option(_RESULT),
) -> None:
    """What verdict, interval and AUROC do when pictures are turned, coded, greyed, framed, ..."""
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.robustness import robustness_markdown, robustness_table

    rows = read_manifest(manifest)
    result = robustness_table(rows, *finder_and_scorer(context), limit=limit, seed=seed)
    write_result(result, None, as_json=as_json, told=robustness_markdown)


@command("framing")
def framing(
    context: click.Context, manifest: Path = manifest_option(), as_json: bool = json_option(_RESULT)
) -> None:
    """How far the score of a face in a whole picture is from that in its own tight crop."""
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.framing import framing_markdown, framing_table

    rows = read_manifest(manifest)
    result = framing_table(rows, *finder_and_scorer(context, domain=False))
    write_result(result, None, as_json=as_json, told=framing_markdown)


@command("false-alarms")
def false_alarms(
    context: click.Context,
    manifest: Path = manifest_option("CSV: path,label[,source,kind,video,crop]."),
    kinds: Path | None = option("YAML: kinds of sources, and kinds to make of others."),
    most: int = option("Of each kind.", 60, least=1),
    seed: int = seed_option("Of what made kinds draw."),
    as_json: bool = json_option(_RESULT),
) -> None:
    """How often genuine photos are flagged, by kind: portraits, groups, night, old prints, ..."""
    from assistant.evaluation import false_alarms as alarms
    from assistant.evaluation.face_manifest import read_manifest

    config = alarms.load_kinds(kinds) if kinds is not None else None
    rows = [row for row in read_manifest(manifest) if not row.label]
    found = alarms.false_alarms(
        rows, *finder_and_scorer(context), config=config, most=most, seed=seed
    )
    write_result(found, None, as_json=as_json, told=alarms.false_alarms_markdown)


@command("shortcuts")
def shortcuts(
    manifest: Path = manifest_option(),
    limit: int = option("Of each class of each source.", 100, least=20),
    seed: int = seed_option("Of the wear."),
    as_json: bool = json_option(_RESULT),
) -> None:
    """How well file metadata and low-level statistics alone tell each pair of sources apart."""
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.pair_shortcuts import pair_shortcuts, pairs_markdown

    found = pair_shortcuts(read_manifest(manifest), limit=limit, seed=seed)
    write_result(found, None, as_json=as_json, told=pairs_markdown)


@command("leave-out")
def leave_out(
    context: click.Context,
    config: Path = argument(),
    work: Path = work_option("Caches of crops and views"),
    as_json: bool = json_option(),
) -> None:
    """Train CONFIG's read-out without each fold of sources, and judge it on these.

    The crops and views in the work folder are used where they are there already.
    """
    from assistant.training.leave_out import leave_out_markdown
    from assistant.training.recipe import Recipe
    from assistant.training.sources_run import judge_recipe

    recipe = Recipe.read(config)
    base, finder = base_and_finder(context, recipe.base)
    table = judge_recipe(recipe, base, finder, work=work)
    write_result(table, None, as_json=as_json, told=leave_out_markdown)


@command("cross-dataset")
def cross_dataset(
    context: click.Context,
    sets: tuple[str, ...] = argument(required=True, metavar="NAME=MANIFEST..."),
    limit: int | None = option("At most this many videos of each set.", least=2),
    seed: int = seed_option("Of the choice of videos."),
    resamples: int = _RESAMPLES,
    as_json: bool = json_option(_RESULT),
) -> None:
    """Video AUROC on sets never trained on, beside the published numbers.

    NAME is cdfv2, dfd, dfdc, ffiw or dsv1 (or any other); MANIFEST is what `whyfake manifest build`
    writes: `whyfake --profile full eval cross-dataset cdfv2=cdf.csv dfd=dfd.csv`.
    """
    import numpy as np

    from assistant.evaluation.cross_dataset import cross_dataset_markdown, cross_dataset_table
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.scoring import score_manifest

    named = _pairs("set", "MANIFEST, such as cdfv2=cdf.csv", sets)
    for name, _ in named:
        if [other for other, _ in named].count(name) > 1:
            raise click.UsageError(f"{name!r} is named twice.")
    # all are checked before anything is scored
    manifests = {name: read_manifest(Path(path)) for name, path in named}
    finder, scorer = finder_and_scorer(context)
    scored = {}
    for name, rows in manifests.items():
        videos = sorted({(row.video, row.label) for row in rows})
        if limit is not None and len(videos) > limit:
            picked = np.random.default_rng(seed).choice(len(videos), limit, replace=False)
            kept = {videos[i] for i in picked}
            rows = [row for row in rows if (row.video, row.label) in kept]
        scored[name] = score_manifest(rows, finder, scorer)
        click.echo(f"scored {name}: {len(rows)} files", err=True)
    result = cross_dataset_table(scored, resamples=resamples)
    write_result(result, None, as_json=as_json, told=cross_dataset_markdown)


@command("zero-shot")
def zero_shot(
    context: click.Context,
    manifest: Path = manifest_option(),
    real: tuple[str, ...] = option("A prompt of real faces; may be repeated."),
    fake: tuple[str, ...] = option("A prompt of manipulated faces; may be repeated."),
    limit: int = _ROWS,
    seed: int = seed_option("Of the choice of rows."),
    text_tower: Path | None = option("One that you trained; default: the shipped one."),
    as_json: bool = json_option(_RESULT),
) -> None:
    """AUROC of text prompts alone, by source: nothing is trained for the manifest."""
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.text_tower import zero_shot_markdown, zero_shot_table
    from assistant.weights import locate

    if bool(real) != bool(fake):
        raise click.UsageError("Give both --real and --fake, or neither.")
    rows = read_manifest(manifest)
    base, finder = base_and_finder(context, "dinov2-vits14")
    shipped = settings_of(context).data_dir
    result = zero_shot_table(
        rows,
        finder,
        base,
        text_tower or locate("text-tower-vits14", data_dir=shipped),
        prompts={"yours": (list(real), list(fake))} if real else None,
        limit=limit,
        seed=seed,
    )
    write_result(result, None, as_json=as_json, told=zero_shot_markdown)


@command("compare")
def compare(
    context: click.Context,
    manifest: Path = manifest_option(),
    detectors: str = option("Names with commas, or all.", "all"),
    seconds: float = option(
        "Processor time of training for each detector that has no file in --work.", 60, least=1
    ),
    seed: int = seed_option("Of all that is drawn."),
    pairs: tuple[str, ...] = option(
        "Files of detectors that are not trained here: mesonet=Meso4_DF.h5.",
        name="--weights",
        metavar="NAME=PATH",
    ),
    limits: tuple[str, ...] = option(
        "Test faces at most of a slow detector: vlm-zero-shot=120.",
        name="--most",
        metavar="NAME=COUNT",
    ),
    out: Path | None = option("Tables and plot.", type=FOLDER),
    work: Path = work_option("Crops, features, trained files and finished rows"),
    as_json: bool = json_option(),
) -> None:
    """Train and score detectors on the same faces, and write one table.

    What is not there (a file, a package) is told in the table and never a number. The same command
    again goes on where it ended.
    """
    from assistant.compose import build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.compare import Comparison, compare_detectors
    from assistant.training.compare_report import comparison_markdown, write_comparison_plot

    settings = settings_of(context)
    run = Comparison(
        rows=read_manifest(manifest),
        settings=settings,
        finder=build_finder(settings),
        work=work,
        seconds=seconds,
        seed=seed,
        given={name: Path(path) for name, path in _pairs("--weights", "PATH", pairs)},
        most={name: _count(count) for name, count in _pairs("--most", "COUNT", limits)},
        tell=lambda text: click.echo(text, err=True),
    )
    result = run.run(compare_detectors(detectors, plugins=settings.plugins))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "compare.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        (out / "compare.md").write_text(comparison_markdown(result), "utf-8")
        write_comparison_plot(result, out / "compare.png")
    write_result(result, None, as_json=as_json, told=comparison_markdown)


def _pairs(option: str, what: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
    found = [value.partition("=") for value in values]
    for value, (name, _, told) in zip(values, found, strict=True):
        if not (name and told):
            raise click.UsageError(f"{option} {value!r}: expected NAME={what}.")
    return [(name, told) for name, _, told in found]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise click.UsageError(f"--most {text!r}: expected a number from 1 on.")
    return int(text)


@command("anomalies")
def anomalies(
    context: click.Context,
    sound: int = option(default=60, least=4),
    tested: int = option(default=60, least=6),
    seconds: float = option(default=120, least=1),
    seed: int = seed_option("Of textures and training."),
    work: Path = work_option("The trained file"),
) -> None:
    """Train clad on drawn textures without a defect and measure it on others with known ones."""
    from assistant.compute import use_threads
    from assistant.detectors.plugin import Files
    from assistant.training.field import Budget
    from assistant.training.textures import measure_textures

    settings = settings_of(context)
    use_threads(settings.threads)
    result = measure_textures(
        Files.of(settings),
        work / "clad-textures.safetensors",
        sound=sound,
        tested=tested,
        budget=Budget(seconds=seconds),
        seed=seed,
    )
    click.echo(json.dumps(result, indent=2))
