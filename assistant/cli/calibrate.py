"""``whyfake calibrate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import settings_of

__all__ = ["calibrate"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--manifest", type=_FILE, required=True, help="CSV: path,label[,source,video,crop].")
@click.option(
    "--method",
    type=click.Choice(["temperature", "platt", "isotonic", "venn-abers"]),
    default="platt",
    show_default=True,
    help="How the curve is fitted.",
)
@click.option(
    "--max-error",
    type=click.FloatRange(0.0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    help="Share of wrong verdicts allowed in each class.",
)
@click.option(
    "--bands",
    type=click.Choice(["quantile", "conformal"]),
    default="quantile",
    show_default=True,
    help="Where verdicts begin; conformal keeps --max-error for new videos too.",
)
@click.option("--out", type=_FILE, help="Write the calibration here (JSON).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def calibrate(
    context: click.Context,
    manifest: Path,
    method: str,
    max_error: float,
    bands: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Fit probabilities and verdict bands on your own labelled pictures; before and after."""
    from assistant.compose import build_detector, build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.recalibration import recalibrate, recalibration_markdown
    from assistant.evaluation.scoring import score_manifest

    rows = read_manifest(manifest)
    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    scored = score_manifest(rows, build_finder(settings), detector, calibrator)
    fitted, report = recalibrate(
        scored, calibrator, method=method, max_error=max_error, bands=bands
    )
    if out is not None:
        out.write_text(json.dumps(fitted.to_json()), encoding="utf-8")
    click.echo(json.dumps(report, indent=2) if as_json else recalibration_markdown(report))
