"""D: whether a face is like those that the detector knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from assistant.evidence.languages import sentences
from assistant.evidence.names import listed
from assistant.evidence.quality import QualityFact
from assistant.evidence.score import ScoreFact
from assistant.types import Clause, Evidence, Fact, FactKind, Wordings

__all__ = ["DomainFact"]

_ENGLISH, _ABROAD = sentences("domain")

_CARE = re.compile(
    r"\b(?:so )?trust (?:the score|it|this|the result) less\b|\b(?:with|some) (?:care|caution)\b|"
    r"\b(?:be|stay) cautious\b"
)
_SAID = re.compile(
    r"\b(?:was |were |is |are )?(?P<not>not )?(?:calibrated|trained) on\b|\b(?P<un>unlike|not like|"
    r"different from|differs? from|dissimilar to)(?= (?:the |those |these |other |most )?(?:\w+ )?"
    r"(?:faces|pictures|images|data|those|what)\b)|"
    r"\bfaces like (?:this one|this|it)\b|\b(?:like|similar to) (?:the|those) (?:faces|the detector)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFact(Fact):
    """Whether the face is like those the detector was calibrated on.

    Attributes:
        inside: whether ``distance`` is within ``limit``.
        distance: of the face's feature from the calibration data, in the units of ``limit``.
        limit: the largest distance that counts as alike.
        reasons: what is unusual, as plain words.
        abstained: whether no verdict is given for it.
    """

    kind: ClassVar[FactKind] = FactKind.DOMAIN
    wordings: ClassVar[Wordings] = _ENGLISH["domain"]

    inside: bool
    distance: float
    limit: float
    reasons: tuple[str, ...] = ()
    abstained: bool = False

    @property
    def unusual(self) -> str:
        """The sentence of the reasons; empty without them."""
        return f"What is unusual: {listed(self.reasons)}." if self.reasons else ""

    @property
    def text(self) -> str:
        if self.inside:
            return self.said("domain-inside")[0]
        said = [self.said("domain-outside")[0], self.unusual]
        if self.abstained:
            said.append("It lies outside what the detector knows, so no verdict is given.")
        elif self.reasons:
            said.append("The interval was widened for it.")
        return " ".join(s for s in said if s)

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["inside" if self.inside else "unlike"],)

    def topics(self) -> tuple[str, ...]:
        return ("domain-inside",) if self.inside else ("domain-outside", "domain-outside-too")

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        found = clause.take(_SAID)
        fact = evidence.first(cls)
        if clause.take(_CARE):
            strange = [f for f in evidence.of(cls) if not f.inside]
            care = (*strange, *evidence.of(QualityFact), *evidence.of(ScoreFact))
            care = tuple(f for f in care if not isinstance(f, ScoreFact) or f.width == "wide")
            clause.ok(*care) if care else clause.unfounded("no fact asks to trust the score less")
        if not found:
            return
        outside = any(match["not"] or match["un"] for match in found)
        if fact is None:
            clause.unfounded("no fact compares this face with known ones")
        else:
            good = fact.inside is not outside
            clause.judge(good, "the comparison with known faces says otherwise", fact)
