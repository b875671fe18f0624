"""A small head over a person's clip: from its scores and looks over time to one logit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.timeline.rules import clip_logit
from assistant.timeline.stretches import StretchRule, raised_parts

__all__ = ["FEATURES", "HEAD_RULE", "TemporalHead", "clip_features"]

Array = NDArray[np.float64]
#: What a clip's score says that it was made by.
HEAD_RULE = "temporal-head"
#: What the head sees of a clip: the mean logit; how far the highest second lies above it; how far
#: *laid in* rises in its highest second above its median; and how far the part that stands out most
#: lies above the rest in *laid in*.
FEATURES = ("mean", "highest-second", "laid-in-rise", "part-rise")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalHead:
    """A linear head. Its answer is a logit as a picture's is, and calibrated by the same curve.

    Attributes:
        weights: of :data:`FEATURES`; (1, 0, 0, 0) is the mean rule.
        bias: added.
        weights_sha256: of the detector that it was fitted to.
    """

    weights: tuple[float, ...]
    bias: float
    weights_sha256: str = ""

    def __post_init__(self) -> None:
        if len(self.weights) != len(FEATURES):
            raise ValueError(f"{len(self.weights)} weights, not {len(FEATURES)}")

    def logit(self, features: Array) -> float:
        """Of :func:`clip_features`."""
        return float(np.dot(self.weights, features) + self.bias)


def clip_features(
    seconds: Array,
    logits: Array,
    laid_in: Array | None = None,
    looks: NDArray[np.floating] | None = None,
    *,
    shots: Sequence[int] | NDArray[np.integer] | None = None,
) -> Array:
    """The :data:`FEATURES` of a person.

    Args:
        seconds: N, when each frame is shown, rising; at least one.
        logits: N scores.
        laid_in: N answers to *laid in*; None: the scores stand for them.
        looks: N x d, what the face looks like to the detector's tower; None: not known.
        shots: N, the shot that each is of; None: all are of one.
    """
    answers = logits if laid_in is None else laid_in
    mean = clip_logit(seconds, logits, "mean")
    rise = 0.0
    for first, last in raised_parts(answers, StretchRule(rise=0.0), looks=looks, shots=shots):
        outside = np.concatenate([answers[:first], answers[last + 1 :]])
        if len(outside):
            rise = max(rise, float(answers[first : last + 1].mean() - outside.mean()))
    return np.array(
        [
            mean,
            clip_logit(seconds, logits, "highest-second") - mean,
            clip_logit(seconds, answers, "highest-second") - float(np.median(answers)),
            rise,
        ]
    )
