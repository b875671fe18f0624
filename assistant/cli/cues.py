"""``whyfake train cues`` and ``whyfake eval cues``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.declare import FILE, FOLDER, argument, command, option
from assistant.cli.options import settings_of, write_compact

if TYPE_CHECKING:
    from assistant.training.cue_fit import CueConfig
    from assistant.training.cue_values import FaceValues

__all__ = ["eval_cues", "train_cues"]


_WORK = option(
    "Found faces and measurements; a run that was stopped goes on from them.",
    Path(".work/cues"),
    type=FOLDER,
)


@command("cues")
def train_cues(
    context: click.Context,
    config_file: Path = argument(metavar="CONFIG", type=FILE),
    work: Path = _WORK,
    out: Path = option("The reference, such as weights/cues.json.", required=True),
) -> None:
    """Measure what genuine and manipulated faces show: the reference of the visible cues.

    CONFIG is configs/cues.yaml or one like it. Cues that do not hold up are left out of the
    reference, and so stay silent; `whyfake eval cues` tells which and why, and how the others do on
    held-out faces.
    """
    from assistant.training.cue_fit import choose, compare, fit_limits, reference

    config, faces, sha = _measured(context, config_file, work)
    compared = compare(faces, held_out=False)
    tables = choose(compared, fit_limits(compared, config), config)
    made = reference(faces, tables, sha, config)
    write_compact(made, out)
    for table in tables:
        click.echo(f"{table.cue}: {table.why or f'stays, limit {table.limit}'}")
    click.echo(f"Wrote {out}: {len(made['limits'])} of {len(tables)} cues stay.")


@command("cues")
def eval_cues(
    context: click.Context,
    config_file: Path = argument(metavar="CONFIG", type=FILE),
    work: Path = _WORK,
    file: Path | None = option("The reference; default: the one that ships.", name="--reference"),
    out: Path | None = option("Write the measurements here as JSON, the table beside."),
) -> None:
    """Tell which cues hold up on held-out faces, and for how many faces one speaks."""
    from assistant.cues.reference import load_reference
    from assistant.evaluation.cue_table import cues_json, cues_markdown, spoken_for
    from assistant.resources import resource_dir
    from assistant.training.cue_fit import choose, compare, fit_limits, held_out

    known = load_reference(file or resource_dir("weights") / "cues.json")
    config, faces, sha = _measured(context, config_file, work)
    compared = compare(faces, held_out=False)
    chosen = choose(compared, fit_limits(compared, config), config)
    tables = held_out(compare(faces, held_out=True), chosen, config)
    spoken = spoken_for(faces, known, config)
    table = cues_markdown(chosen, tables, spoken, config)
    if out is not None:
        out.write_text(json.dumps(cues_json(chosen, tables, spoken, faces, sha), indent=1) + "\n")
        out.with_suffix(".md").write_text(table)
    click.echo(table, nl=False)


def _measured(
    context: click.Context, config_file: Path, work: Path
) -> tuple[CueConfig, list[FaceValues], str]:
    from assistant.compose import build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.faces.dense import DenseLandmarks
    from assistant.training.cue_faces import collect, pick_rows
    from assistant.training.cue_fit import CueConfig
    from assistant.training.cue_values import measure_faces
    from assistant.training.splits import list_sha256
    from assistant.weights import locate

    config = CueConfig.read(config_file)
    rows = pick_rows(read_manifest(config.manifest), config.most, config.more)
    settings = settings_of(context)
    faces = collect(
        rows,
        build_finder(settings),
        DenseLandmarks(locate("face-landmarks", data_dir=settings.data_dir)),
        work / "faces",
    )
    values = measure_faces(
        faces,
        work,
        seed=config.seed,
        is_test=lambda row: config.is_test(row.video),
    )
    return config, values, list_sha256([row for row, _ in faces])
