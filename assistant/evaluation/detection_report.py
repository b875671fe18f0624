"""Tables and plots of a detection result."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import TrainingError
from assistant.evaluation import detection_metrics as metrics
from assistant.evaluation.pages import detection_page
from assistant.evaluation.scoring import ScoredRow
from assistant.evaluation.tables import shown, table

__all__ = ["markdown", "write_plots"]

_COLUMNS = ("ap", "eer", "ece", "brier", "nll", "n", "no_face", "abstained")


def markdown(result: dict[str, Any]) -> str:
    """Sources, families and Cross-AUC as Markdown tables."""
    sources = []
    for name, numbers in {**result["sources"], "overall": result["overall"]}.items():
        auroc, interval = shown(numbers["auroc"]), numbers["auroc_ci"]
        if interval:
            auroc += f" ({shown(interval[0])} to {shown(interval[1])})"
        sources.append([name, auroc, *(shown(numbers[column]) for column in _COLUMNS)])
    families = [
        (name, shown(numbers["auroc"]), numbers["n"])
        for name, numbers in result["families"].items()
    ]
    parts = [
        table(["source", "AUROC (95 %)", *_COLUMNS], sources),
        table(["family", "AUROC", "n"], families),
    ]
    fakes = sorted({fake for row in result["cross_auc"].values() for fake in row})
    if fakes:
        rows = [
            [real, *(shown(row.get(fake)) for fake in fakes)]
            for real, row in result["cross_auc"].items()
        ]
        parts.append(table(["reals of \\ fakes of", *fakes], rows))
    parts.append("\n".join(f"Note: {text}." for text in result["warnings"]))
    return "\n\n".join(parts)


def write_plots(scored: Sequence[ScoredRow], result: dict[str, Any], folder: Path) -> None:
    """``roc.png``, ``reliability.png`` and ``report.html`` (tables and both plots in one file).

    Raises:
        TrainingError: the folder cannot be written.
    """
    from matplotlib.figure import Figure

    roc, calibration = (Figure(figsize=(5, 5), layout="tight") for _ in range(2))
    curve = roc.subplots()
    bars = calibration.subplots()
    for name, numbers in result["sources"].items():
        known = [s for s in scored if s.row.source == name and s.logit is not None]
        labels = np.array([s.row.label for s in known], np.int64)
        if len(set(labels.tolist())) < 2:
            continue
        logits = np.array([s.logit for s in known], np.float64)
        probability = np.array([s.probability for s in known], np.float64)
        false, true, _ = metrics.roc_points(labels, logits)
        curve.plot(false, true, label=f"{name} {numbers['auroc']:.3f}")
        bins = metrics.reliability(labels, probability)
        bars.plot(
            [b["probability"] for b in bins],
            [b["manipulated"] for b in bins],
            marker="o",
            label=f"{name} (ECE {numbers['ece']:.3f})",
        )
    curve.set(xlabel="real faces called manipulated", ylabel="manipulated faces found")
    bars.set(xlabel="stated probability", ylabel="share that is manipulated")
    for axes in (curve, bars):
        axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pictures = {}
        for name, figure in (("roc", roc), ("reliability", calibration)):
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=110)
            (folder / f"{name}.png").write_bytes(buffer.getvalue())
            pictures[name] = buffer.getvalue()
        page = detection_page(markdown(result), pictures)
        (folder / "report.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise TrainingError(
            f"The plots cannot be written to {folder}: {error.strerror}.",
            hint="Choose another folder for --plots.",
            code="not-writable",
        ) from error
