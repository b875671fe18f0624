"""From a person's logits over a clip to one: which rule is best, ``whyfake eval video`` tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLIP_RULES", "DEFAULT_RULE", "clip_logit"]

Array = NDArray[np.float64]
_TRIMMED = 0.1  # of the moments at either end
_WINDOW = 1.0  # seconds of a window of the noisy-or
DEFAULT_RULE = "mean"


def _weights(seconds: Array) -> Array:
    """The share of the time that each moment stands for: frames lie closer in some places."""
    if len(seconds) == 1:
        return np.ones(1)
    middles = (seconds[1:] + seconds[:-1]) / 2
    edges = np.concatenate(([seconds[0]], middles, [seconds[-1]]))
    spans = np.diff(edges)
    total = spans.sum()
    return np.asarray(spans / total if total > 0 else np.full(len(seconds), 1 / len(seconds)))


def _mean(seconds: Array, logits: Array) -> float:
    return float(_weights(seconds) @ logits)


def _trimmed_mean(seconds: Array, logits: Array) -> float:
    order = np.argsort(logits)
    weights = _weights(seconds)[order]
    place = np.cumsum(weights) - weights / 2
    kept = (place >= _TRIMMED) & (place <= 1 - _TRIMMED)
    if not kept.any():
        return _mean(seconds, logits)
    return float(np.average(logits[order][kept], weights=weights[kept]))


def _noisy_or(seconds: Array, logits: Array) -> float:
    """One window of a second that is manipulated is enough; windows are taken as independent."""
    windows = np.floor((seconds - seconds[0]) / _WINDOW).astype(int)
    means = np.array([logits[windows == w].mean() for w in np.unique(windows)])
    genuine = -np.logaddexp(0.0, means).sum()  # log of the product of 1 - p
    return float(np.log(-np.expm1(genuine)) - genuine)


def _highest_second(seconds: Array, logits: Array) -> float:
    """The highest mean of any window of a second."""
    means = [
        logits[(seconds >= begin) & (seconds <= begin + _WINDOW)].mean()
        for begin in seconds
        if begin + _WINDOW <= seconds[-1]
    ]
    return float(max(means, default=logits.mean()))


#: Rule by name: rising seconds and their logits to one logit.
CLIP_RULES: Mapping[str, Callable[[Array, Array], float]] = MappingProxyType(
    {
        "mean": _mean,
        "trimmed-mean": _trimmed_mean,
        "noisy-or": _noisy_or,
        "highest-second": _highest_second,
    }
)


def clip_logit(seconds: Array, logits: Array, rule: str = DEFAULT_RULE) -> float:
    """One logit of a person's moments.

    Args:
        seconds: when each is shown, rising; at least one.
        logits: of each.
        rule: one of :data:`CLIP_RULES`.
    """
    return CLIP_RULES[rule](np.asarray(seconds, np.float64), np.asarray(logits, np.float64))
