"""F: what the score is after everyday changes of the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.amounts import amounts
from assistant.evidence.languages import percent_abroad, sentences
from assistant.evidence.moves import wrong_verdict
from assistant.evidence.names import listed
from assistant.evidence.reading import FLIPS, SAME, clear, fit, label_of, shares
from assistant.numbers import percent
from assistant.types import Clause, Evidence, Fact, FactKind, Verdict, Wordings

__all__ = ["ChangeFact", "SpreadFact"]

_ENGLISH, _ABROAD = sentences("changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadFact(Fact):
    """The score's spread over ``count`` changes; ``flips``: those that change the verdict."""

    kind: ClassVar[FactKind] = FactKind.FRAGILITY
    wordings: ClassVar[Wordings] = _ENGLISH["spread"]

    count: int
    low: float
    high: float
    flips: tuple[str, ...]

    @classmethod
    def of(
        cls, fact_id: str, verdict: Verdict, changes: Sequence[tuple[str, float, Verdict]]
    ) -> SpreadFact:
        """The spread of changes.

        Args:
            fact_id: its id.
            verdict: the untouched face's.
            changes: name (``JPEG quality 70``), P(manipulated) and verdict afterwards; at least one.
        """
        return cls(
            id=fact_id,
            count=len(changes),
            low=min(probability for _, probability, _ in changes),
            high=max(probability for _, probability, _ in changes),
            flips=tuple(name for name, _, after in changes if after is not verdict),
        )

    @property
    def steady(self) -> bool:
        """Whether both ends are written the same."""
        return percent(self.low) == percent(self.high)

    @property
    def text(self) -> str:
        many = f"{self.count} everyday changes" if self.count > 1 else "1 everyday change"
        span = f"lies between {percent(self.low)} and {percent(self.high)}"
        end = "the verdict stays the same"
        if self.flips:
            end = f"the verdict changes after {listed(self.flips)}"
        return (
            f"After {many} of the file the score "
            f"{f'is {percent(self.low)}' if self.steady else span}; {end}."
        )

    def abroad(self, language: str) -> tuple[str, ...]:
        said = _ABROAD[language]["card-flips" if self.flips else "card-same"]
        low, high = percent_abroad(self.low, language), percent_abroad(self.high, language)
        return (said.format(count=self.count, low=low, high=high, flips=len(self.flips)),)

    def topics(self) -> tuple[str, ...]:
        kind = "flips" if self.flips else "steady" if self.steady else "same"
        return (f"fragility-{kind}",)

    def fields(self) -> dict[str, str]:
        return {
            "count": str(self.count),
            "low": percent(self.low),
            "high": percent(self.high),
            "flips": listed(self.flips) if self.flips else "",
        }

    def judge_spread(self, clause: Clause) -> None:
        """Check a clause on all the changes together."""
        text = clause.text
        counts = [a.value for a in amounts(text) if not a.unit and not a.digits]
        ends = shares(text)
        if any(count != self.count for count in counts):
            clause.wrong(f"{self.count} changes were tried", self)
        elif not (fit(ends, (self.low, self.high)) or (len(ends) == 1 and fit(ends, (self.low,)))):
            clause.wrong("that is not the spread measured", self)
        elif SAME.search(text) and self.flips:
            clause.wrong("the verdict changes after some of them", self)
        elif FLIPS.search(text) and not self.flips:
            clause.wrong("the verdict stays the same", self)
        else:
            clause.ok(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFact(Fact):
    """The score ``before`` and after one change (``JPEG quality 70``, ``half size``)."""

    kind: ClassVar[FactKind] = FactKind.FRAGILITY
    wordings: ClassVar[Wordings] = _ENGLISH["change"]
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = (
        "change",
        re.compile(r"\beveryday (?:changes?|edits?)\b|\bchange[a-z]tag\b"),
    )

    change: str
    before: float
    probability: float
    verdict: Verdict
    verdict_after: Verdict

    @property
    def changes_verdict(self) -> bool:
        """Whether another verdict would be read from the score afterwards."""
        return self.verdict_after is not self.verdict

    @property
    def steady(self) -> bool:
        """Whether the score is written the same before and after."""
        return percent(self.before) == percent(self.probability)

    @property
    def text(self) -> str:
        moves = f"goes from {percent(self.before)} to {percent(self.probability)}"
        if self.steady:
            moves = f"stays at {percent(self.before)}"
        end = "the verdict stays the same"
        if self.changes_verdict:
            end = f"the verdict would be {self.verdict_after.words}"
        return f"After {self.change} the score {moves}; {end}."

    def values(self) -> dict[str, Any]:
        return {
            "change": self.change,
            "probability": self.probability,
            "before": self.before,
            "verdict_after": self.verdict_after.value,
            "changes_verdict": self.changes_verdict,
        }

    def topics(self) -> tuple[str, ...]:
        return (
            "change-flips"
            if self.changes_verdict
            else "change-steady"
            if self.steady
            else "change-same",
        )

    def fields(self) -> dict[str, str]:
        return {
            "change": self.change,
            "before": percent(self.before),
            "after": percent(self.probability),
            "verdict_after": self.verdict_after.words,
        }

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """How the score stood up to everyday changes of the file."""
        if clause.scope != "change":
            return
        text, asked = clause.text, clause.subjects
        known = {fact.change.lower(): fact for fact in evidence.of(cls)}
        facts = [known[name] for name in asked if name in known]
        spread = evidence.first(SpreadFact)
        flips = FLIPS.search(text) and not label_of(text)
        if not (amounts(text) or SAME.search(text) or FLIPS.search(text) or label_of(text)):
            clause.neutral = True
            return
        if flips and spread is not None and asked:
            good = set(asked) <= {name.lower() for name in spread.flips}
            ends = [(spread.low, spread.high), *((f.before, f.probability) for f in facts[:1])]
            good = good and any(fit(shares(text), pair) for pair in ends)
            clause.judge(good, "that is not what was measured after it", spread)
        elif asked and facts:
            for fact in facts:
                wrong = wrong_verdict(clause, fact.verdict_after, changes=fact.changes_verdict)
                if not fit(shares(text), (fact.before, fact.probability)):
                    wrong = "that is not the score measured after it"
                clause.judge(not wrong, wrong, fact)
        elif spread is not None and not asked:
            spread.judge_spread(clause)
        else:
            clause.unfounded("that change of the file was not tried")
        clear(clause)
