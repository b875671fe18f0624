"""T: a person of a clip over time: when the score stands out, and where it is highest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.languages import percent_abroad, sentences, verdict_abroad
from assistant.numbers import percent
from assistant.types import (
    Clause,
    Evidence,
    Fact,
    FactKind,
    Moment,
    Timeline,
    Verdict,
    Wordings,
)

__all__ = [
    "NoStretchFact",
    "PeakFact",
    "StretchFact",
    "TimeFact",
    "clock",
    "time_facts",
]

_ENGLISH, _ABROAD = sentences("time")

_MOST_STRETCHES = 4
_AT = re.compile(r"\b\d{1,3}:\d{2}(?:\.\d)?\b")
_CUE = ("time", re.compile(r"\b\d{1,3}:\d{2}(?:\.\d)?\b|\bstretch(?:es)?\b|\bpart of the clip\b"))


def clock(seconds: float, *, fine: bool = True) -> str:
    """A second of a clip as people read it: ``0:03.4``; whole seconds as ``0:03``."""
    tenths = round(10 * seconds) if fine else 10 * round(seconds)
    minutes, rest = divmod(tenths, 600)
    whole, tenth = divmod(rest, 10)
    return f"{minutes}:{whole:02d}" + (f".{tenth}" if tenth else "")


def _seconds(text: str) -> float:
    minutes, _, rest = text.partition(":")
    return 60 * int(minutes) + float(rest)


class TimeFact(Fact):
    """What all facts about time share: clauses about a second must name one that is told."""

    __slots__ = ()
    kind: ClassVar[FactKind] = FactKind.TIME
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = _CUE

    def times(self) -> tuple[float, ...]:
        """The seconds that the fact speaks of."""
        return ()

    def shares(self) -> tuple[float, ...]:
        """The probabilities that the fact speaks of."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchFact(TimeFact):
    """A part of the clip in which the score stands out."""

    wordings: ClassVar[Wordings] = _ENGLISH["stretch"]

    begin: float
    end: float
    peak: float
    probability: float
    low: float
    high: float
    verdict: Verdict
    elsewhere: float | None = None

    @property
    def text(self) -> str:
        return f"{self.said('stretch')[0]} {self.said('peak')[0]}"

    def fields(self) -> dict[str, str]:
        rest = "" if self.elsewhere is None else f"; elsewhere it is {percent(self.elsewhere)}"
        return {
            "begin": clock(self.begin),
            "end": clock(self.end),
            "peak": clock(self.peak),
            "probability": percent(self.probability),
            "verdict": self.verdict.words,
            "elsewhere": rest,
        }

    def values(self) -> dict[str, Any]:
        return {
            "begin": self.begin,
            "end": self.end,
            "peak": self.peak,
            "probability": self.probability,
            "interval": [self.low, self.high],
            "verdict": self.verdict.value,
            "elsewhere": self.elsewhere,
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        share = percent_abroad(self.probability, language)
        verdict = verdict_abroad(self.verdict, language)
        named = {**self.fields(), "probability": share, "verdict": verdict}
        return tuple(_ABROAD[language][key].format(**named) for key in ("stretch", "peak"))

    def times(self) -> tuple[float, ...]:
        return (self.begin, self.end, self.peak)

    def shares(self) -> tuple[float, ...]:
        rest = () if self.elsewhere is None else (self.elsewhere,)
        return (self.probability, *rest)

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """Each second that is named must be one that some fact tells, and so must the numbers."""
        named = list(_AT.finditer(clause.text))
        if not named:
            return
        facts = [fact for fact in evidence.facts if isinstance(fact, TimeFact)]
        wanted = [_seconds(match.group()) for match in named]
        fine = [("." in match.group()) for match in named]
        fitting = [
            fact
            for fact in facts
            if all(_tells(fact.times(), at, exact) for at, exact in zip(wanted, fine, strict=True))
        ]
        shares = [int(n) for n in re.findall(r"\b(\d{1,3})\s?%", clause.text)]
        good = [
            fact
            for fact in fitting
            if all(any(percent(s) == f"{n}%" for s in fact.shares()) for n in shares)
        ]
        clause.take(_AT, re.compile(r"(?:under |over )?\b\d{1,3}\s?%"))
        if good:
            clause.ok(good[0])
        elif facts:
            clause.wrong("that is not what was measured at this time", facts[0])
        else:
            clause.unfounded("no fact speaks of a time")


def _tells(times: tuple[float, ...], at: float, exact: bool) -> bool:
    step = 0.051 if exact else 0.51
    return any(abs(at - known) <= step for known in times)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoStretchFact(TimeFact):
    """No part of the clip stands out from the rest."""

    wordings: ClassVar[Wordings] = _ENGLISH["no-stretch"]

    begin: float
    end: float

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["no-stretch"],)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakFact(TimeFact):
    """The moment with the highest score."""

    wordings: ClassVar[Wordings] = _ENGLISH["peak"]

    at: float
    probability: float

    def fields(self) -> dict[str, str]:
        return {"at": clock(self.at), "probability": percent(self.probability)}

    def abroad(self, language: str) -> tuple[str, ...]:
        named = {**self.fields(), "probability": percent_abroad(self.probability, language)}
        return (_ABROAD[language]["peak-frame"].format(**named),)

    def times(self) -> tuple[float, ...]:
        return (self.at,)

    def shares(self) -> tuple[float, ...]:
        return (self.probability,)


def time_facts(timeline: Timeline) -> list[Fact]:
    """The stretches (at most four, the highest) or that there is none, and the peak frame."""
    told = sorted(timeline.stretches, key=lambda s: -s.probability)[:_MOST_STRETCHES]
    facts: list[Fact] = [
        StretchFact(
            id=f"T{number}",
            begin=s.begin,
            end=s.end,
            peak=s.peak,
            probability=s.probability,
            low=s.interval[0],
            high=s.interval[1],
            verdict=s.verdict,
            elsewhere=s.elsewhere,
        )
        for number, s in enumerate(sorted(told, key=lambda s: s.begin), 1)
    ]
    if not facts:
        facts.append(NoStretchFact(id="T1", begin=timeline.begin, end=timeline.end))
    peak: Moment = timeline.peak
    facts.append(PeakFact(id=f"T{len(facts) + 1}", at=peak.seconds, probability=peak.probability))
    return facts
