"""``whyfake calibrate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import FILE, finder_and_scorer, json_option, out_option, write_result

__all__ = ["calibrate"]


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False
)
@click.option("--manifest", type=FILE, help="Instead of FOLDER: path,label[,source,video,crop].")
@click.option("--points", is_flag=True, help="Of --manifest too, set the operating point alone.")
@click.option(
    "--method",
    type=click.Choice(["temperature", "platt", "isotonic", "venn-abers"]),
    default="platt",
    help="How the curve is fitted.",
)
@click.option(
    "--max-error",
    type=click.FloatRange(0.0, 0.5, min_open=True),
    default=0.05,
    help="Share of wrong verdicts allowed in each class; of FOLDER, in each genuine source.",
)
@click.option(
    "--bands",
    type=click.Choice(["quantile", "conformal"]),
    default="quantile",
    help="Where verdicts begin; conformal keeps --max-error for new videos too.",
)
@out_option("Write the calibration here (JSON).")
@json_option()
@click.pass_context
def calibrate(
    context: click.Context,
    folder: Path | None,
    manifest: Path | None,
    points: bool,
    method: str,
    max_error: float,
    bands: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Set the verdicts on your own pictures.

    Of FOLDER, whose sub-folders are genuine sources (or FOLDER/real/SOURCE, with manipulated
    pictures in FOLDER/fake), "likely manipulated" begins where at most 5 % of the pictures of every
    source are flagged; the probabilities stay. With --manifest, which needs both classes,
    probabilities and bands are fitted anew; before and after are told.
    """
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.operating_points import operating_points, points_markdown, source_rows
    from assistant.evaluation.recalibration import recalibrate, recalibration_markdown
    from assistant.evaluation.scoring import score_manifest

    if (folder is None) == (manifest is None):
        raise click.UsageError("Give either FOLDER or --manifest.")
    rows = read_manifest(manifest) if manifest is not None else source_rows(folder or Path())
    finder, scorer = finder_and_scorer(context, domain=False)
    scored = score_manifest(rows, finder, scorer)
    before, sha256 = scorer.calibrator, scorer.detector.weights_sha256
    if points or folder is not None:
        fitted, report = operating_points(scored, before, most=max_error, weights_sha256=sha256)
        told = points_markdown(report)
    else:
        fitted, report = recalibrate(
            scored, before, method=method, max_error=max_error, bands=bands
        )
        told = recalibration_markdown(report)
    if out is not None:
        out.write_text(json.dumps(fitted.to_json()), encoding="utf-8")
        told += f"\n\nUse it: ASSISTANT_CALIBRATION={out} whyfake analyze PICTURE"
    write_result(report, None, as_json=as_json, told=lambda _: told)
