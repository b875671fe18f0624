"""``whyfake train plugin`` and ``whyfake compare``: the detectors side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import json_option, settings_of, tell_progress, work_option

__all__ = ["anomalies", "compare", "phone", "plugin"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("plugin")
@click.argument("name")
@click.option("--manifest", type=_FILE, required=True, help="CSV: path,label[,source,video,...].")
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=600,
    show_default=True,
    help="Of processor time.",
)
@click.option("--epochs", type=click.IntRange(1), help="Default: the plugin's recipe.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--options", default="{}", help="Of the plugin, as a JSON object; see its page.")
@click.option("--calibration-percent", type=click.IntRange(1, 50), default=15, show_default=True)
@click.option("--out", type=_FILE, help="Default: the data folder, where it is found by name.")
@work_option("Crops and frozen features")
@json_option()
@click.pass_context
def plugin(
    context: click.Context,
    name: str,
    manifest: Path,
    seconds: float,
    epochs: int | None,
    seed: int,
    options: str,
    calibration_percent: int,
    out: Path | None,
    work: Path,
    as_json: bool,
) -> None:
    """Train the detector NAME from a manifest, within a budget.

    A share of the videos is held aside to fit its probabilities. Then analyse with it: `whyfake
    --set detector=NAME analyze photo.jpg`.
    """
    from assistant.compose import build_finder
    from assistant.detectors.frozen import FeatureStore
    from assistant.detectors.plugin import Files
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.face_set import faces_of, split
    from assistant.training.field import Budget, train_plugin, trainable

    settings = settings_of(context)
    cls = trainable(name, plugins=settings.plugins)
    rows = read_manifest(manifest)
    faces = faces_of(rows, build_finder(settings), cls.crop_spec, work=work, progress=tell_progress)
    parts = split(faces, {"calibration": calibration_percent})
    target = out or cls.home(settings)
    report = train_plugin(
        cls,
        parts["train"],
        parts["calibration"],
        Files.of(settings),
        output=target,
        budget=Budget(seconds=seconds, epochs=epochs),
        seed=seed,
        options=json.loads(options),
        store=FeatureStore(work),
        progress=tell_progress,
    )
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    click.echo(
        f"Wrote {target}: {report['parameters_trained']:,} numbers trained on "
        f"{report['pictures_used']} of {report['pictures']} faces in {report['seconds']} s, "
        f"ended by {report['ended_by']}; loss {report['loss'][0]} to {report['loss'][-1]}."
    )
    if not report["calibrated_on"]:
        click.echo(
            "Too few faces were held aside to fit probabilities (30 of each class): it ranks "
            "faces, but gives no verdict."
        )


@click.command("compare")
@click.option("--manifest", type=_FILE, required=True, help="CSV: path,label[,source,video,...].")
@click.option("--detectors", default="all", show_default=True, help="Names with commas, or all.")
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=60,
    show_default=True,
    help="Processor time of training for each detector that has no file in --work.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--weights",
    "pairs",
    multiple=True,
    metavar="NAME=PATH",
    help="Files of detectors that are not trained here: mesonet=Meso4_DF.h5.",
)
@click.option(
    "--most",
    "limits",
    multiple=True,
    metavar="NAME=COUNT",
    help="Test faces at most of a slow detector: vlm-zero-shot=120.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Tables and plot.")
@work_option("Crops, features, trained files and finished rows")
@json_option()
@click.pass_context
def compare(
    context: click.Context,
    manifest: Path,
    detectors: str,
    seconds: float,
    seed: int,
    pairs: tuple[str, ...],
    limits: tuple[str, ...],
    out: Path | None,
    work: Path,
    as_json: bool,
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
    given = {name: Path(path) for name, path in _pairs("--weights", "PATH", pairs)}
    most = {name: _count(count) for name, count in _pairs("--most", "COUNT", limits)}
    run = Comparison(
        rows=read_manifest(manifest),
        settings=settings,
        finder=build_finder(settings),
        work=work,
        seconds=seconds,
        seed=seed,
        given=given,
        most=most,
        tell=lambda text: click.echo(text, err=True),
    )
    result = run.run(compare_detectors(detectors, plugins=settings.plugins))
    table = comparison_markdown(result)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "compare.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        (out / "compare.md").write_text(table, "utf-8")
        write_comparison_plot(result, out / "compare.png")
    click.echo(json.dumps(result, indent=2) if as_json else table)


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


@click.command("phone")
@click.argument("name")
@click.option("--manifest", type=_FILE, required=True, help="Faces to measure the files on.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@work_option("Crops")
@click.pass_context
def phone(context: click.Context, name: str, manifest: Path, out: Path, work: Path) -> None:
    """Write the convolutional detector NAME as ONNX and in int8, and measure both."""
    from assistant.compose import build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.face_set import faces_of
    from assistant.training.field import trainable
    from assistant.training.phone import export_phone

    settings = settings_of(context)
    kind = trainable(name, plugins=settings.plugins)
    detector = kind.from_settings(settings)
    finder = build_finder(settings)
    rows = read_manifest(manifest)
    faces = faces_of(rows, finder, kind.crop_spec, work=work, progress=tell_progress)
    report = export_phone(detector, faces.crops, faces.labels, out)
    click.echo(json.dumps(report, indent=2))


@click.command("anomalies")
@click.option("--sound", type=click.IntRange(4), default=60, show_default=True)
@click.option("--tested", type=click.IntRange(6), default=60, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=120, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@work_option("The trained file")
@click.pass_context
def anomalies(
    context: click.Context, sound: int, tested: int, seconds: float, seed: int, work: Path
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
