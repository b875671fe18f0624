"""How well scores part real from manipulated, and how honest the probabilities are.

All take N labels (1 = manipulated) and N scores or probabilities (larger = more likely manipulated)
and give a float, or None where it is not defined (one class only, or nothing scored).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "auroc",
    "average_precision",
    "bootstrap_interval",
    "brier",
    "ece",
    "eer",
    "negative_log_likelihood",
    "reliability",
    "roc_points",
    "tpr_at_fpr",
]

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def _two_classes(labels: Labels) -> bool:
    return bool((labels == 1).any() and (labels == 0).any())


def auroc(labels: Labels, scores: Scores) -> float | None:
    """Chance that a manipulated face scores above a real one; ties count half."""
    if not _two_classes(labels):
        return None
    values, position, counts = np.unique(scores, return_inverse=True, return_counts=True)
    del values
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2.0)[position]
    fakes = int((labels == 1).sum())
    reals = len(labels) - fakes
    return float((ranks[labels == 1].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def roc_points(labels: Labels, scores: Scores) -> tuple[Scores, Scores, Scores]:
    """False-positive rate, true-positive rate and threshold, from the strictest threshold on."""
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], labels[order] == 1
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    true = np.cumsum(hits)[ends] / max(1, hits.sum())
    false = np.cumsum(~hits)[ends] / max(1, (~hits).sum())
    start = np.zeros(1)
    return (
        np.concatenate([start, false]),
        np.concatenate([start, true]),
        np.concatenate([[np.inf], ordered[ends]]),
    )


def average_precision(labels: Labels, scores: Scores) -> float | None:
    """Area under precision over recall, as a sum of steps."""
    if not _two_classes(labels):
        return None
    false, true, _ = roc_points(labels, scores)
    fakes, reals = (labels == 1).sum(), (labels == 0).sum()
    called = true * fakes + false * reals
    precision = np.divide(true * fakes, called, out=np.ones_like(called), where=called > 0)
    return float((np.diff(true) * precision[1:]).sum())


def eer(labels: Labels, scores: Scores) -> float | None:
    """Equal error rate: where the false-positive rate equals the miss rate."""
    if not _two_classes(labels):
        return None
    false, true, _ = roc_points(labels, scores)
    gap = false - (1.0 - true)
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    step = gap[after] - gap[before]
    share = 0.0 if step == 0 else -gap[before] / step
    return float(false[before] + share * (false[after] - false[before]))


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


def ece(labels: Labels, probabilities: Scores, *, bins: int = 10) -> float | None:
    """Expected calibration error: mean gap between probability and share, weighted by count."""
    if not len(labels):
        return None
    return float(
        sum(
            abs(b["probability"] - b["manipulated"]) * b["n"]
            for b in reliability(labels, probabilities, bins=bins)
        )
        / len(labels)
    )


def brier(labels: Labels, probabilities: Scores) -> float | None:
    """Mean squared difference of probability and label."""
    return float(((probabilities - labels) ** 2).mean()) if len(labels) else None


def negative_log_likelihood(labels: Labels, probabilities: Scores) -> float | None:
    """Mean of minus the logarithm of the probability given to what is true, in nats."""
    if not len(labels):
        return None
    given = np.clip(np.where(labels == 1, probabilities, 1.0 - probabilities), 1e-6, 1.0)
    return float(-np.log(given).mean())


def bootstrap_interval(
    metric: Callable[[Labels, Scores], float | None],
    labels: Labels,
    scores: Scores,
    groups: Sequence[str],
    *,
    resamples: int = 400,
    seed: int = 0,
) -> tuple[float, float] | None:
    """95 % interval by drawing groups (source videos) with replacement; None where undefined."""
    if metric(labels, scores) is None:
        return None
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(member, kind="stable")
    count = int(member.max()) + 1
    edges = np.searchsorted(member[order], np.arange(count + 1))
    rng = np.random.default_rng(seed)
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
