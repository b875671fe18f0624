"""Whether a face is like those a detector was trained and calibrated on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["DomainFinding", "DomainStatus"]

DomainStatus = Literal["inside", "edge", "outside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFinding:
    """What the domain check found of one face.

    Attributes:
        status: ``inside``; ``edge``: the interval is widened; ``outside``: no verdict is given.
        distance: of the face's feature from the training data; up to ``limit`` it is inside, above
            ``outer_limit`` outside. Relative: 1 is the limit.
        limit: see ``distance``.
        outer_limit: see ``distance``.
        reasons: what is unusual, as plain words; empty where the face is inside.
    """

    status: DomainStatus
    distance: float
    limit: float
    outer_limit: float
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = (self.distance, self.limit, self.outer_limit)
        if not all(math.isfinite(v) for v in values) or not 0 < self.limit <= self.outer_limit:
            raise ValueError(
                f"expected finite distances and 0 < limit <= outer_limit, got {values}"
            )
        if (self.status == "inside") == bool(self.reasons):
            raise ValueError(f"{self.status} with the reasons {self.reasons}")
