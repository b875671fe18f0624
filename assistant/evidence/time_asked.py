"""T: a second or a part of a clip that was asked about, and the other people in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.languages import sentences
from assistant.evidence.time import TimeFact, clock
from assistant.numbers import percent
from assistant.types import Fact, Score, Verdict, Wordings

__all__ = ["MomentFact", "OtherPersonFact", "PartFact", "other_people"]

_ENGLISH, _ABROAD = sentences("time_asked")


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentFact(TimeFact):
    """What was measured nearest to a second that was asked about; None where nothing was."""

    wordings: ClassVar[Wordings] = _ENGLISH["moment"]

    at: float
    read: float
    probability: float | None
    judged: bool = True
    looked: tuple[float, float] | None = None  # where the second lies outside of it

    def topics(self) -> tuple[str, ...]:
        if self.looked is not None:
            return ("moment-outside",)
        if self.probability is None:
            return ("moment-absent",)
        return ("moment",) if self.judged else ("moment-unjudged",)

    def fields(self) -> dict[str, str]:
        share = "" if self.probability is None else percent(self.probability)
        first, last = self.looked or (0.0, 0.0)
        return {
            "at": clock(self.at),
            "read": clock(self.read),
            "probability": share,
            "first": clock(first),
            "last": clock(last),
        }

    def values(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "read": self.read,
            "probability": self.probability,
            "judged": self.judged,
        }

    def times(self) -> tuple[float, ...]:
        return (self.at, self.read, *(self.looked or ()))

    def shares(self) -> tuple[float, ...]:
        return () if self.probability is None else (self.probability,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFact(TimeFact):
    """A part of the clip that was asked for, scored by itself; the verdict is not its."""

    wordings: ClassVar[Wordings] = _ENGLISH["part"]

    begin: float
    end: float
    frames: int
    probability: float | None = None
    low: float = 0.0
    high: float = 1.0
    verdict: Verdict = Verdict.UNCERTAIN
    looked: tuple[float, float] | None = None  # where the part lies outside of it

    def topics(self) -> tuple[str, ...]:
        if self.looked is not None:
            return ("part-outside",)
        return ("part-empty",) if self.probability is None else ("part",)

    def fields(self) -> dict[str, str]:
        return {
            "begin": clock(self.begin),
            "end": clock(self.end),
            "probability": "" if self.probability is None else percent(self.probability),
            "low": percent(self.low),
            "high": percent(self.high),
            "verdict": self.verdict.words,
            "count": "1 frame" if self.frames == 1 else f"{self.frames} frames",
            "first": clock((self.looked or (0.0, 0.0))[0]),
            "last": clock((self.looked or (0.0, 0.0))[1]),
        }

    def values(self) -> dict[str, Any]:
        return {
            "begin": self.begin,
            "end": self.end,
            "frames": self.frames,
            "probability": self.probability,
            "interval": [self.low, self.high],
            "verdict": self.verdict.value if self.probability is not None else None,
        }

    def times(self) -> tuple[float, ...]:
        return (self.begin, self.end, *(self.looked or ()))

    def shares(self) -> tuple[float, ...]:
        return () if self.probability is None else (self.probability, self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPersonFact(TimeFact):
    """What was found of another person of the same clip, so that nobody takes it for this one."""

    wordings: ClassVar[Wordings] = _ENGLISH["other-person"]

    person: int
    probability: float
    verdict: Verdict

    def fields(self) -> dict[str, str]:
        return {
            "person": str(self.person),
            "verdict": self.verdict.words,
            "probability": percent(self.probability),
        }


def other_people(others: Sequence[tuple[int, Score]]) -> list[Fact]:
    """A fact for each of the other people: their numbers from 0, and their scores."""
    return [
        OtherPersonFact(
            id=f"T{50 + index}",
            person=index + 1,
            probability=score.probability,
            verdict=score.verdict,
        )
        for index, score in others
    ]
