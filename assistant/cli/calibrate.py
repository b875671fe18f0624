"""``whyfake calibrate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.declare import EXISTING_FOLDER, argument, command, option
from assistant.cli.options import finder_and_scorer, json_option, out_option, write_result

__all__ = ["calibrate"]


@command()
def calibrate(
    context: click.Context,
    folder: Path | None = argument(type=EXISTING_FOLDER, required=False),
    manifest: Path | None = option("Instead of FOLDER: path,label[,source,video,crop]."),
    points: bool = option("Of --manifest too, set the operating point alone."),
    method: str = option(
        "How the curve is fitted.",
        "platt",
        type=click.Choice(["temperature", "platt", "isotonic", "venn-abers"]),
    ),
    max_error: float = option(
        "Share of wrong verdicts allowed in each class; of FOLDER, in each genuine source.",
        0.05,
        type=click.FloatRange(0.0, 0.5, min_open=True),
    ),
    bands: str = option(
        "Where verdicts begin; conformal keeps --max-error for new videos too.",
        "quantile",
        type=click.Choice(["quantile", "conformal"]),
    ),
    out: Path | None = out_option("Write the calibration here (JSON)."),
    as_json: bool = json_option(),
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
