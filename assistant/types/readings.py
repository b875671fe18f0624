"""What a detector says of a crop, and what one of several detectors says of a face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NOT_FITTED", "Opinion", "Reading"]

#: Methods of calibrations that were never fitted to faces: what they give is no probability.
NOT_FITTED = frozenset({"none", "one-word-answer", "softmax-not-fitted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One detector's say, in [0, 1]: P(manipulated), or a raw score where it is not calibrated."""

    detector: str
    value: float
    calibrated: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.value <= 1.0:
            raise ValueError(f"{self.detector}: expected a value in [0, 1], got {self.value}")

    @property
    def manipulated(self) -> bool:
        """Whether it leans towards a manipulated face."""
        return self.value > 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a forward pass alone says of a crop.

    Attributes:
        logit: the detector's raw score of the crop.
        statistics: blocks x 3 x width float32: class token, patch mean and patch deviation of the
            blocks that are read, the last of them last; None where a detector shows no inside.
        heads: logits of *laid in* and *made*; None where a detector does not ask that.
        opinions: what each member of an ensemble says.
    """

    logit: float
    statistics: NDArray[np.float32] | None = None
    heads: tuple[float, float] | None = None
    opinions: tuple[Opinion, ...] = ()
