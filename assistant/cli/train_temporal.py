"""``whyfake train temporal``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.declare import EXISTING_FILE, argument, command, option
from assistant.cli.options import settings_of, write_compact

if TYPE_CHECKING:
    from assistant.training.temporal_head import Compared

__all__ = ["temporal"]


@command("temporal")
def temporal(
    context: click.Context,
    judged: tuple[Path, ...] = argument(required=True, type=EXISTING_FILE),
    out: Path = option("The head: temporal.json.", required=True),
    motion: Path | None = option("Also measure the cues over time: weights/motion.json."),
    table: Path | None = option("Write the comparison here (JSON)."),
    resamples: int = option("Bootstrap draws.", 400, least=10),
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
    people = [p for path in judged for p in JudgedFile(path, detector.weights_sha256).rows]
    compared = compare_rules(people, calibrator, resamples=resamples)
    head = fit_head(people, calibrator, detector.weights_sha256)
    write_compact(asdict(head), out)
    result: dict[str, Any] = {"comparison": asdict(compared), "head": asdict(head)}
    click.echo(_markdown(compared))
    if motion is not None:
        seen = seen_people(people)
        tables = judge_motion(seen)
        write_compact(motion_reference(seen, tables), motion)
        result["motion"] = [asdict(row) for row in tables]
        for row in tables:
            click.echo(f"{row.cue}: {row.why or 'stays'}")
    if table is not None:
        table.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    click.echo(f"Wrote {out}. Best by videos left out: {compared.best}.")


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
