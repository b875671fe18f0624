"""How well scores part real from manipulated, and how honest the probabilities are.

All take N labels (1 = manipulated) and N scores or probabilities (larger = more likely manipulated)
and give a float, or None where it is not defined (one class only, or nothing scored).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from assistant.numbers import wilson

__all__ = [
    "auroc",
    "auroc_by_source",
    "average_precision",
    "bootstrap_interval",
    "brier",
    "ece",
    "eer",
    "negative_log_likelihood",
    "reliability",
    "roc_points",
    "share_of",
    "tpr_at_fpr",
]

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def _two_classes(labels: Labels) -> bool:
    return bool((labels == 1).any() and (labels == 0).any())


def auroc(labels: Labels, scores: Scores) -> float | None:
    """Chance that a manipulated face scores above a real one; ties count half.

    By ranks (Mann and Whitney): a tenth of the time of scikit-learn's, which intervals ask for
    hundreds of times.
    """
    if not _two_classes(labels):
        return None
    from scipy.stats import rankdata

    fakes, count = np.asarray(labels) == 1, len(labels)
    above = rankdata(scores)[fakes].sum() - fakes.sum() * (fakes.sum() + 1) / 2
    return float(above / (fakes.sum() * (count - fakes.sum())))


def auroc_by_source(
    labels: Labels, scores: Scores, sources: NDArray[np.str_], whole: str
) -> dict[str, float | None]:
    """AUROC of each source by its name, and of all together under ``whole``; 4 digits."""
    parts = {whole: np.ones(len(labels), bool)}
    parts |= {str(source): sources == source for source in sorted(set(sources.tolist()))}
    found = {name: auroc(labels[part], scores[part]) for name, part in parts.items()}
    return {name: None if v is None else round(v, 4) for name, v in found.items()}


def roc_points(labels: Labels, scores: Scores) -> tuple[Scores, Scores, Scores]:
    """False-positive rate, true-positive rate and threshold, from the strictest threshold on."""
    false, true, threshold = metrics.roc_curve(labels, scores, drop_intermediate=False)
    return false, true, threshold


def average_precision(labels: Labels, scores: Scores) -> float | None:
    """Area under precision over recall, as a sum of steps."""
    return float(metrics.average_precision_score(labels, scores)) if _two_classes(labels) else None


def eer(labels: Labels, scores: Scores) -> float | None:
    """Equal error rate: where the false-positive rate equals the miss rate."""
    if not _two_classes(labels):
        return None
    false, true, _ = roc_points(labels, scores)
    return float(np.interp(0.0, false + true - 1.0, false))


def tpr_at_fpr(labels: Labels, scores: Scores, rate: float) -> float | None:
    """Largest true-positive rate at a false-positive rate of at most ``rate``."""
    if not _two_classes(labels):
        return None
    false, true, _ = roc_points(labels, scores)
    return float(true[false <= rate].max())


def reliability(
    labels: Labels, probabilities: Scores, *, bins: int = 10
) -> list[dict[str, float | int]]:
    """Per bin of equal width: mean probability, share manipulated, count (empty bins left out)."""
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        {
            "probability": float(probabilities[index == b].mean()),
            "manipulated": float((labels[index == b] == 1).mean()),
            "n": int((index == b).sum()),
        }
        for b in range(bins)
        if (index == b).any()
    ]


def ece(
    labels: Labels, probabilities: Scores, *, bins: int = 10, weights: Scores | None = None
) -> float | None:
    """Expected calibration error: mean gap between probability and share in bins of equal width.

    A bin counts by its faces, or by their ``weights``.
    """
    if not len(labels):
        return None
    weight = np.ones(len(labels)) if weights is None else weights
    gap = weight * (probabilities - (labels == 1))
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(index, gap)).sum() / weight.sum())


def brier(labels: Labels, probabilities: Scores) -> float | None:
    """Mean squared difference of probability and label."""
    return float(metrics.brier_score_loss(labels, probabilities)) if len(labels) else None


def negative_log_likelihood(labels: Labels, probabilities: Scores) -> float | None:
    """Mean of minus the logarithm of the probability given to what is true, in nats."""
    if not len(labels):
        return None
    return float(metrics.log_loss(labels, np.clip(probabilities, 1e-6, 1 - 1e-6), labels=[0, 1]))


def bootstrap_interval(
    metric: Callable[[Labels, Scores], float | None],
    labels: Labels,
    scores: Scores,
    groups: Sequence[str],
    *,
    resamples: int = 400,
) -> tuple[float, float] | None:
    """95 % interval by drawing groups (source videos) with replacement; None where undefined."""
    if metric(labels, scores) is None:
        return None
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(member, kind="stable")
    count = int(member.max()) + 1
    edges = np.searchsorted(member[order], np.arange(count + 1))
    rng = np.random.default_rng(0)
    values = []
    for _ in range(resamples):
        drawn = rng.integers(0, count, count)
        rows = np.concatenate([order[edges[g] : edges[g + 1]] for g in drawn])
        value = metric(labels[rows], scores[rows])
        if value is not None:
            values.append(value)
    if not values:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def share_of(count: int, total: int) -> dict[str, float]:
    """``share``, its 95 % Wilson interval ``low`` to ``high``, and ``count``."""
    low, high = wilson(count, total)
    share = count / total if total else 0.0
    return {
        "share": round(share, 4), "low": round(low, 4), "high": round(high, 4), "count": count,
    }  # fmt: skip
