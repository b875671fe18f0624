"""``whyfake eval detection``, ``robustness`` and ``framing``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from assistant.cli.options import settings_of

__all__ = ["detection", "framing", "robustness", "show_progress"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_MANIFEST = click.option(
    "--manifest",
    type=_FILE,
    required=True,
    help="CSV: path,label[,source,video,family,split,crop]; paths are relative to it.",
)


@click.command("detection")
@_MANIFEST
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--scores", type=_FILE, help="Write the score of every row here (CSV).")
@click.option("--plots", type=click.Path(path_type=Path, file_okay=False), help="Write plots here.")
@click.option("--resamples", type=click.IntRange(10), default=400, help="Bootstrap draws.")
@click.pass_context
def detection(
    context: click.Context,
    manifest: Path,
    as_json: bool,
    scores: Path | None,
    plots: Path | None,
    resamples: int,
) -> None:
    """Score a manifest and report by source, family, video and overall."""
    from assistant.compose import build_detector, build_domain, build_finder
    from assistant.evaluation.detection import evaluate
    from assistant.evaluation.detection_report import markdown, write_plots
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.scoring import write_scores

    rows = read_manifest(manifest)
    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    result, scored = evaluate(
        rows,
        build_finder(settings),
        detector,
        calibrator,
        domain=build_domain(settings, detector),
        resamples=resamples,
        progress=show_progress,
    )
    if scores is not None:
        write_scores(scored, scores)
    if plots is not None:
        write_plots(scored, result, plots)
    click.echo(json.dumps(result, indent=2) if as_json else markdown(result))


@click.command("robustness")
@_MANIFEST
@click.option("--limit", type=click.IntRange(2), default=400, help="At most this many rows.")
@click.option("--seed", type=int, default=0, help="Of the choice of rows.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def robustness(
    context: click.Context, manifest: Path, limit: int, seed: int, as_json: bool
) -> None:
    """What verdict, interval and AUROC do when pictures are turned, coded, greyed, framed, ..."""
    from assistant.compose import build_detector, build_domain, build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.robustness import robustness_markdown, robustness_table

    rows = read_manifest(manifest)
    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    result: dict[str, Any] = robustness_table(
        rows,
        build_finder(settings),
        detector,
        calibrator,
        domain=build_domain(settings, detector),
        limit=limit,
        seed=seed,
        progress=show_progress,
    )
    click.echo(json.dumps(result, indent=2) if as_json else robustness_markdown(result))


@click.command("framing")
@_MANIFEST
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def framing(context: click.Context, manifest: Path, as_json: bool) -> None:
    """How far the score of a face in a whole picture is from that in its own tight crop."""
    from assistant.compose import build_detector, build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.framing import framing_markdown, framing_table

    rows = read_manifest(manifest)
    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    result = framing_table(
        rows, build_finder(settings), detector, calibrator, progress=show_progress
    )
    click.echo(json.dumps(result, indent=2) if as_json else framing_markdown(result))


def show_progress(done: int, total: int) -> None:
    """Tell on stderr how many pictures are scored: always at a terminal, else by hundreds."""
    if sys.stderr.isatty() or done == total or done % 100 == 0:
        end = "\n" if done == total or not sys.stderr.isatty() else "\r"
        click.echo(f"scored {done} of {total}", err=True, nl=False)
        click.echo(end, err=True, nl=False)
