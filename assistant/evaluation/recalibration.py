"""Fit the calibration anew on a user's own labelled pictures, with an honest before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.calibration import CurveCalibrator
from assistant.calibration.fitting import fit_calibrator
from assistant.evaluation import detection_metrics as metrics
from assistant.evaluation.face_manifest import hashed
from assistant.evaluation.scoring import ScoredRow
from assistant.evaluation.tables import table
from assistant.interfaces import Calibrator
from assistant.types import Verdict

__all__ = ["recalibrate", "recalibration_markdown"]

_SMALL = 200


def recalibrate(
    scored: Sequence[ScoredRow],
    before: Calibrator,
    *,
    method: str = "platt",
    max_error: float = 0.05,
    bands: str = "quantile",
) -> tuple[CurveCalibrator, dict[str, Any]]:
    """Fit on all scored rows; measure on videos that the measured fit has not seen.

    Half of the videos (by the hash of their names) fit a calibrator that the other half judges, and
    the other way round; the calibrator that is given back is fitted on all.

    Args:
        scored: rows with scores.
        before: the calibrator in use.
        method: see :data:`assistant.calibration.fitting.METHODS`.
        max_error: of the verdict bands.
        bands: see :data:`assistant.calibration.fitting.BANDS`.

    Returns:
        The new calibrator, and ``before`` and ``after`` with ECE, Brier score, likelihood, and how
        often a verdict is wrong or withheld.

    Raises:
        TrainingError: too few rows of a class.
    """
    known = [s for s in scored if s.logit is not None]
    logits = np.array([s.logit for s in known], np.float64)
    labels = np.array([s.row.label for s in known], np.int64)
    videos = [s.row.video for s in known]
    half = np.array([hashed(v) % 2 for v in videos])

    def fit(rows: NDArray[np.bool_]) -> CurveCalibrator:
        return fit_calibrator(
            logits[rows],
            labels[rows],
            method=method,
            groups=[v for v, keep in zip(videos, rows, strict=True) if keep],
            max_error=max_error,
            bands=bands,
            fitted_on={"pictures": int(rows.sum()), "videos": len(set(videos))},
        )

    final = fit(np.ones(len(known), bool))
    after = np.empty(len(known))
    verdicts = np.empty(len(known), dtype=object)
    for part in (0, 1):
        fitted = fit(half != part)
        rows = half == part
        after[rows] = fitted.probabilities(logits[rows])
        verdicts[rows] = [fitted.verdict(p) for p in after[rows]]
    old = [before.calibrate(float(value)) for value in logits]
    report = {
        "schema": "whyfake.calibrate/1",
        "method": method,
        "bands": bands,
        "n_real": int((labels == 0).sum()),
        "n_fake": int((labels == 1).sum()),
        "auroc": metrics.auroc(labels, logits),
        "before": _numbers(
            labels,
            np.array([c.probability for c in old]),
            np.array([c.verdict for c in old], dtype=object),
        ),
        "after": _numbers(labels, after, verdicts),
        "thresholds": list(final.thresholds),
        "warnings": _warnings(labels),
    }
    return final, report


def recalibration_markdown(report: dict[str, Any]) -> str:
    """Before and after side by side."""
    before, after = report["before"], report["after"]
    rows = [(name, f"{before[name]:.4f}", f"{after[name]:.4f}") for name in before]
    told = (
        f"{report['n_real']} real and {report['n_fake']} manipulated faces, "
        f"AUROC {report['auroc']:.3f} (calibration does not change it)"
    )
    warned = "\n".join(f"Warning: {text}" for text in report["warnings"])
    return f"{told}\n\n{table(['', 'before', 'after'], rows)}\n\n{warned}"


def _numbers(
    labels: NDArray[np.int64], probability: NDArray[np.float64], verdicts: NDArray[np.object_]
) -> dict[str, float | None]:
    return {
        "ece": metrics.ece(labels, probability),
        "brier": metrics.brier(labels, probability),
        "nll": metrics.negative_log_likelihood(labels, probability),
        "real_called_manipulated": float(
            np.mean([v == Verdict.LIKELY_MANIPULATED for v in verdicts[labels == 0]])
        ),
        "fake_called_real": float(np.mean([v == Verdict.NO_SIGN for v in verdicts[labels == 1]])),
        "uncertain": float(np.mean([v == Verdict.UNCERTAIN for v in verdicts])),
    }


def _warnings(labels: NDArray[np.int64]) -> list[str]:
    least = int(min((labels == 0).sum(), (labels == 1).sum()))
    if least >= _SMALL:
        return []
    return [
        f"only {least} faces of the smaller class: the verdict bands rest on a handful of faces; "
        f"give {_SMALL} or more of each"
    ]
