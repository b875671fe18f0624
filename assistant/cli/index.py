"""``whyfake index``: the examples with known outcome that similar cases are told from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assistant.cli.options import settings_of

__all__ = ["index"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def index() -> None:
    """Make and show the index of examples with known outcome."""


@index.command("build")
@click.option(
    "--manifest",
    type=_FILE,
    help="CSV of own cases whose outcome is known (path, label, and `video` to tell people apart). "
    "Only features and outcomes are kept. Default: portraits in the public domain that packages "
    "ship, and what is made of them.",
)
@click.option("--limit", type=click.IntRange(1), default=2000, help="At most this many pictures.")
@click.option(
    "--rounds",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="Manipulated samples of each kind a portrait, where there is no manifest.",
)
@click.option(
    "--out", type=_FILE, help="Write here; default: the data folder, where it is found at once."
)
@click.pass_context
def build(
    context: click.Context, manifest: Path | None, limit: int, rounds: int, out: Path | None
) -> None:
    """Ask the detector in use about examples and keep what it saw and said."""
    from assistant.compose import EXAMPLE_FILES, build_detector
    from assistant.errors import ConfigError
    from assistant.evaluation.example_index import build_index
    from assistant.interfaces import TraceableDetector
    from assistant.weights.store import data_dir_or_default

    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    if not isinstance(detector, TraceableDetector):
        raise ConfigError(
            f"The detector {detector.name!r} shows no tokens, which similar cases need.",
            hint="Use clip-ln.",
        )
    cases, source = (
        _shipped(settings, detector, rounds)
        if manifest is None
        else _own(settings, detector, manifest, limit)
    )
    made = build_index(cases, detector, calibrator, source=source, progress=_progress)
    target = out or data_dir_or_default(settings.data_dir) / EXAMPLE_FILES[settings.profile]
    made.save(target)
    click.echo(f"Wrote {target}: {len(made.examples)} examples of {made.people} people ({source}).")


@index.command("show")
@click.pass_context
def show(context: click.Context) -> None:
    """Tell what the index in use holds, and how the detector did on it."""
    from assistant.calibration.examples import ExampleIndex
    from assistant.compose import build_detector, build_examples
    from assistant.errors import WeightsError

    settings = settings_of(context)
    detector, _ = build_detector(settings)
    found = build_examples(settings, detector)
    if not isinstance(found, ExampleIndex):
        raise WeightsError(
            "There is no index of examples for the detector in use.",
            hint="Make one: `whyfake index build`.",
            code="weights-examples",
        )
    click.echo(f"{len(found.examples)} examples of {found.people} people: {found.source}.")
    for line in found.summary():
        click.echo(line)
    worth = found.worth()
    if worth is None:
        click.echo("Nothing can be said of its worth: too few verdicts, or all alike.")
        return
    count, auroc = worth
    click.echo(
        f"Worth: over {count} examples with a verdict, the share of the nearest examples of other "
        f"people that were called right tells those called right with an AUROC of {auroc:.2f} "
        "(0.50: nothing)."
    )


def _shipped(settings: Any, detector: Any, rounds: int) -> tuple[list[Any], str]:
    from assistant.compose import build_finder
    from assistant.evaluation.example_index import known_cases
    from assistant.evaluation.map_faces import aligned_faces, shipped_pictures

    faces = aligned_faces(shipped_pictures(), build_finder(settings), detector.crop_spec)
    what = "portraits in the public domain that packages ship, and blends made of them"
    return list(known_cases(faces, rounds=rounds)), what


def _own(settings: Any, detector: Any, manifest: Path, limit: int) -> tuple[list[Any], str]:
    from assistant.compose import build_finder
    from assistant.errors import MediaError
    from assistant.evaluation.example_index import KnownCase
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.scoring import find_faces
    from assistant.media import MediaLimits

    finder, limits = build_finder(settings), MediaLimits()
    cases = []
    for row in read_manifest(manifest)[:limit]:
        try:
            found = find_faces(row, finder, detector.crop_spec, limits)
        except MediaError as error:
            click.echo(f"left out {row.name}: {error.user_message}", err=True)
            continue
        cases += [
            KnownCase(
                crop=crop,
                name="own case",
                person=row.video,
                manipulated=bool(row.label),
            )
            for crop in found.crops[:1]
        ]
    return cases, f"own cases of {manifest.name}"


def _progress(done: int, total: int) -> None:
    if done % 20 == 0 or done == total:
        click.echo(f"{done} of {total}", err=True)
