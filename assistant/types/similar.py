"""How the detector behaved on faces that look alike to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assistant.types.measured import Verdict

__all__ = ["SimilarCase", "SimilarCases"]

#: Of fewer people than this an index says little, and the evidence says so.
FEW_PEOPLE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarCase:
    """One example with known outcome.

    Attributes:
        name: what it is, never whose (``mouth exchanged``, ``saved as JPEG quality 70``).
        manipulated: what is known of it.
        probability: P(manipulated) that the detector gave it.
        verdict: and its verdict.
        distance: from the face at hand; 1 is the index's limit.
    """

    name: str
    manipulated: bool
    probability: float
    verdict: Verdict
    distance: float

    @property
    def right(self) -> bool | None:
        """Whether the verdict is what is known; None where the detector gave none."""
        if self.verdict is Verdict.UNCERTAIN:
            return None
        return (self.verdict is Verdict.LIKELY_MANIPULATED) is self.manipulated


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarCases:
    """The nearest examples of an index.

    Attributes:
        nearest: nearest first; empty where none is within the limit.
        distance: of the nearest example of all, within the limit or not; 1 is the limit.
        examples: how many the index holds.
        people: of how many people they were made.
    """

    nearest: tuple[SimilarCase, ...]
    distance: float
    examples: int
    people: int

    @property
    def few(self) -> bool:
        """Whether the index is of so few people that it says little."""
        return self.people < FEW_PEOPLE

    def __post_init__(self) -> None:
        if not math.isfinite(self.distance) or self.examples < len(self.nearest):
            raise ValueError(
                f"expected a finite distance and at most {self.examples} neighbours, got "
                f"{self.distance} and {len(self.nearest)}"
            )
