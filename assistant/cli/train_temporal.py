"""``whyfake train temporal``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import settings_of

if TYPE_CHECKING:
    from assistant.training.temporal_head import Compared

__all__ = ["temporal"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_JUDGED = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("temporal")
@click.argument("judged", nargs=-1, required=True, type=_JUDGED)
@click.option("--out", type=_FILE, required=True, help="The head: temporal.json.")
@click.option("--motion", type=_FILE, help="Also measure the cues over time: weights/motion.json.")
@click.option("--table", type=_FILE, help="Write the comparison here (JSON).")
@click.option("--resamples", type=click.IntRange(10), default=400, help="Bootstrap draws.")
@click.pass_context
def temporal(
    context: click.Context,
    /,
    judged: tuple[Path, ...],
    out: Path,
    motion: Path | None,
    table: Path | None,
    resamples: int,
) -> None:
    """Fit a small head over the frames of clips, and compare it with the rules.

    JUDGED are files that `whyfake eval video --judged FILE` wrote, of two sources or more. Each
    source is judged by a head that was fitted without it; the head that is written is fitted on
    all. Cues over time that tell nothing, or of which too few clips are known, are left out of the
    reference that ``--motion`` writes, and stay silent.
    """
    from assistant.compose import build_detector
    from assistant.evaluation.judged import JudgedFile
    from assistant.training.temporal import judge_motion, motion_reference, seen_people
    from assistant.training.temporal_head import compare_rules, fit_head

    detector, calibrator = build_detector(settings_of(context))
    people = [p for path in judged for p in JudgedFile(path, detector.weights_sha256).people]
    compared = compare_rules(people, calibrator, resamples=resamples)
    head = fit_head(people, calibrator, detector.weights_sha256)
    _write(out, asdict(head))
    result: dict[str, Any] = {"comparison": asdict(compared), "head": asdict(head)}
    click.echo(_markdown(compared))
    if motion is not None:
        seen = seen_people(people)
        tables = judge_motion(seen)
        _write(motion, motion_reference(seen, tables))
        result["motion"] = [asdict(row) for row in tables]
        for row in tables:
            click.echo(f"{row.cue}: {row.why or 'stays'}")
    if table is not None:
        table.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    click.echo(f"Wrote {out}. Best by videos left out: {compared.best}.")


def _write(path: Path, made: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


def _markdown(compared: Compared) -> str:
    from assistant.evaluation.tables import shown, table

    names = [*compared.people, "all"]
    counts = {
        **compared.people,
        "all": [sum(c) for c in zip(*compared.people.values(), strict=True)],
    }

    def cell(row: Mapping[str, float | None], name: str, form: str = ".2f") -> str:
        return f"{shown(row[name], form)} ({shown(row['low'], form)} to {shown(row['high'], form)})"

    rows = [
        [
            rule,
            *(cell(compared.sources[name][rule], "auroc") for name in names),
            cell(compared.gain[rule], "gain", "+.2f"),
            shown(calibrated["ece"], ".2f"),
            cell(calibrated, "brier"),
        ]
        for rule, calibrated in compared.calibration.items()
    ]
    heads = [f"{n} ({counts[n][0]} genuine, {counts[n][1]} manipulated)" for n in names]
    return table(["AUROC by video", *heads, "over the mean", "ECE", "Brier"], rows)
