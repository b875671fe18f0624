"""``whyfake eval video``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from assistant.cli.options import settings_of

__all__ = ["video"]


@click.command("video")
@click.option("--made", type=click.IntRange(0), default=16, help="Clips to make and judge.")
@click.option("--seed", type=int, default=1, help="Of the made clips.")
@click.option(
    "--clips",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder with the folders real and fake: clips of one person each.",
)
@click.option("--fit", is_flag=True, help="Fit the constants of stretches on the made clips.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--resamples", type=click.IntRange(10), default=400, help="Bootstrap draws.")
@click.pass_context
def video(
    context: click.Context,
    made: int,
    seed: int,
    clips: Path | None,
    fit: bool,
    as_json: bool,
    resamples: int,
) -> None:
    """Judge clips by person and by time: AUROC of the rules, and how well stretches are found.

    ``--fit`` prints the best constants on the made clips of this seed; judge with another.
    """
    from assistant.compose import build_detector, build_domain, build_finder
    from assistant.evaluation.made_clips import portraits
    from assistant.evaluation.video import (
        fit_rule,
        judge_folder,
        judge_made,
        made_clips,
        rule_table,
        stretch_table,
        video_markdown,
    )
    from assistant.media import MediaLimits
    from assistant.scoring import Scorer

    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    finder = build_finder(settings)
    scorer = Scorer(
        detector=detector, calibrator=calibrator, domain=build_domain(settings, detector)
    )
    limits = MediaLimits(frames=settings.limits.frames)
    result: dict[str, Any] = {}
    if made:
        source = made_clips(portraits(finder, seed, side=300), made, seed)
        people = judge_made(source, finder, scorer, limits, lambda done: _progress(done, made))
        result["made"] = rule_table(people, resamples)
        result["made"]["stretch"] = stretch_table(people, calibrator)
        if fit:
            rule, table = fit_rule(people, calibrator)
            result["made"]["fitted"] = {"rule": asdict(rule), **table}
    if clips is not None:
        judged = judge_folder(clips, finder, scorer, limits, _progress)
        result["clips"] = rule_table(judged, resamples)
    click.echo(json.dumps(result, indent=2) if as_json else video_markdown(result))


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{done} of {total} clips", nl=done == total, err=True)
