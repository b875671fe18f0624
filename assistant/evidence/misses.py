"""L: what the detector misses, by family of manipulation, told beside a verdict that flags nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.amounts import Amount, amounts, matches
from assistant.evidence.languages import sentences
from assistant.evidence.names import listed
from assistant.evidence.reading import clear
from assistant.numbers import in_hundred
from assistant.types import Clause, Evidence, Fact, FactKind, Missed, Verdict, Wordings

__all__ = ["MissesFact"]

_ENGLISH, _ABROAD = sentences("misses")

_MISSES = re.compile(r"\b(?:miss(?:es|ed)?|overlook(?:s|ed)?|finds no sign)\b")
_CATCHES = re.compile(r"\b(?:catch(?:es)?|caught|flag(?:s|ged)?|calls)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class MissesFact(Fact):
    """How many manipulated faces of kinds it never saw get the quiet verdict, by family.

    A face is missed where the detector finds no sign in it. What is neither missed nor called
    likely manipulated is left uncertain.

    Attributes:
        verdict: of the case, *no sign found* or *uncertain*.
        misses: by family, at least one; measured on sources left out of training.
    """

    kind: ClassVar[FactKind] = FactKind.LIMIT
    wordings: ClassVar[Wordings] = _ENGLISH["misses"]

    verdict: Verdict
    misses: tuple[Missed, ...]

    @property
    def text(self) -> str:
        return " ".join(self.said(t)[0] for t in self.topics() if t in {"misses", "caught"})

    @property
    def line(self) -> str:
        """The sentence that fits the verdict: beside *uncertain*, how few are caught."""
        return self.said("caught" if "caught" in self.line_topics() else "misses")[0]

    def line_topics(self) -> tuple[str, ...]:
        """What fits the verdict: *caught* beside *uncertain*, where it is known."""
        return self.topics() if self.verdict is Verdict.UNCERTAIN else ("misses", "worst")

    @property
    def short(self) -> str:
        """The topic of one short sentence that fits the verdict: of the family that fares worst."""
        return "least-caught" if "caught" in self.line_topics() else "worst"

    def values(self) -> dict[str, Any]:
        return {
            "limit": "misses",
            "misses": [
                {
                    "family": one.family,
                    "missed": one.missed,
                    "interval": [one.low, one.high],
                    "caught": one.caught,
                    "n": one.pictures,
                    "sources": one.sources,
                }
                for one in self.misses
            ],
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        t = _ABROAD[language]
        if any(one.family not in t for one in self.misses):
            return ()

        def told(one: Missed) -> str:
            form = "few" if one.missed < 0.005 else "most" if one.missed > 0.995 else "some"
            share = t[form].format(n=f"{100 * one.missed:.0f}")
            return t["one"].format(share=share, family=t[one.family])

        each = [told(one) for one in self.misses]
        said = t["and"].join([", ".join(each[:-1]), each[-1]][-len(each) :])
        return (t["misses"].format(listed=said),)

    def topics(self) -> tuple[str, ...]:
        known = all(one.caught is not None for one in self.misses)
        return ("misses", "worst", *(("least-caught", "caught") if known else ()))

    def fields(self) -> dict[str, str]:
        worst = max(self.misses, key=lambda one: one.missed)
        least = min(self.misses, key=lambda one: one.caught or 0.0)
        return {
            "uncaught": least.family,
            "flags": in_hundred(least.caught or 0.0),
            "worst": worst.family,
            "share": in_hundred(worst.missed),
            "missed": self._listed([one.missed for one in self.misses]),
            "caught": self._listed([one.caught or 0.0 for one in self.misses]),
        }

    def _listed(self, shares: Sequence[float]) -> str:
        """``about 14 in 100 edited faces and 3 in 100 face swaps``."""
        each = [
            f"{in_hundred(share)} {one.family}"
            for share, one in zip(shares, self.misses, strict=True)
        ]
        return listed([each[0], *(said.removeprefix("about ") for said in each[1:])])

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """A share of a family that is said to be missed, or caught."""
        fact = evidence.first(cls)
        missing, catching = _MISSES.search(clause.text), _CATCHES.search(clause.text)
        if fact is None or not (missing or catching):
            return
        pairs = _pairs(clause.text, fact.misses)
        if not pairs:
            return
        for amount, one in pairs:
            share = one.missed if missing else one.caught
            if share is None:
                clause.unfounded("no fact tells how many are caught")
            else:
                reason = f"of {one.family} it is {in_hundred(share)}"
                clause.judge(matches(amount, share), reason, fact)
        clear(clause)


def _pairs(text: str, misses: Sequence[Missed]) -> list[tuple[Amount, Missed]]:
    """Each amount with the family that is named next to it: after it, else before it."""
    named = sorted(
        (
            (found.start(), one)
            for one in misses
            for found in re.finditer(rf"\b{re.escape(one.family.removesuffix('s').lower())}", text)
        ),
        key=lambda pair: pair[0],
    )
    pairs = []
    for amount in amounts(text):
        after = [one for start, one in named if start >= amount.end]
        before = [one for start, one in named if start < amount.start]
        if after or before:
            pairs.append((amount, after[0] if after else before[-1]))
    return pairs
