"""L: what the score and the map do not tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.languages import region_abroad, sentences
from assistant.evidence.misses import MissesFact
from assistant.evidence.reading import FAKE, NEGATION, REAL
from assistant.numbers import percent
from assistant.types import (
    Clause,
    Evidence,
    Fact,
    FactKind,
    RegionFinding,
    TrackRecord,
    Verdict,
    Wordings,
)

__all__ = ["MapLimitFact", "NotProofFact", "NotSeenFact", "limit_facts"]

_ENGLISH, _ABROAD = sentences("limits")

_SURE = re.compile(
    r"\b(?:no|without (?:a |any )?|beyond (?:a |any |all )?(?:reasonable )?)\s*doubt\b|"
    r"\bnever wrong\b|\bcan(?:not|'t| not| never) be wrong\b|\binfallible\b|"
    r"\b(?:100|hundred) ?(?:%|percent)(?: sure| certain)"
)
_CERTAIN = re.compile(
    r"\b(?:definite(?:ly)?|certain(?:ly|ty)?|undoubtedly|unquestionabl[ey]|undeniabl[ey]|(?:any|a) "
    r"doubt|proofs?|prove[sdn]?|proving|guarantee\w*|conclusive\w*|absolutely|surely|for sure|"
    r"obvious\w*|confirm\w*|must be|evidently|"
    r"clearly (?=manipulated|fake|real|authentic|genuine|a deepfake)|sure(?=\b(?! you)))"
)
_CAN_BE_WRONG = re.compile(
    r"\b(?:can|could|may|might) (?:still |also |always |well )?(?:be (?:wrong|mistaken)|err|"
    r"make mistakes)\b|\b(?:is |are |only |just |as )?an estimate\b|\b(?:is|was) estimated\b"
)
_LOOKED = re.compile(r"\b(?:only )?where the detector looked\b")
_NOT_CHANGED = re.compile(
    r"\b(?:does |do |did )?not\b(?: \w+){0,2}? what (?:was|were|is|has been|had been) (?:changed|"
    r"altered|manipulated|edited)(?: there)?\b"
)
_CHANGED = re.compile(
    r"\bwhat was changed\b|\b(?:was|were|is|are|been|being|has|have|looks?|seems?|appears?)\b"
    r"(?: \w+){0,2} (?:changed|altered|edited|manipulated|fake|swapped|modified|forged|retouched|"
    r"pasted|replaced|real|untouched)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProofFact(Fact):
    """The score is an estimate."""

    kind: ClassVar[FactKind] = FactKind.LIMIT
    wordings: ClassVar[Wordings] = _ENGLISH["not-proof"]

    def values(self) -> dict[str, Any]:
        return {"limit": "not-proof"}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["not-proof"],)

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """Proof and certainty are never claimed; that the detector can be wrong may be."""
        fact = evidence.first(cls)
        modest = bool(clause.take(_CAN_BE_WRONG))
        strong = clause.take(_SURE)
        certain = strong or clause.take(_CERTAIN)
        if not modest and not certain:
            return
        word = certain[0] if certain else None
        denied = word is not None and (
            NEGATION.search(clause.text[: word.start()])
            or re.fullmatch(r"\s*(?:nothing|little)\W*", clause.text[word.end() :])
        )
        claimed = strong or (word is not None and not denied)
        if fact is None:
            clause.unfounded("no fact speaks of proof")
        elif claimed:
            reason = f'"{certain[0][0]}" claims certainty; the score is an estimate'
            clause.wrong(reason, fact)
        else:
            clause.ok(fact)
            clause.take(FAKE, REAL, NEGATION)  # what is not proven is not claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLimitFact(Fact):
    """The map does not tell what was changed."""

    kind: ClassVar[FactKind] = FactKind.LIMIT
    wordings: ClassVar[Wordings] = _ENGLISH["map-limit"]

    #: Of the score's spread over faces, what comes from the map; None: not measured.
    share: float | None = None

    @property
    def text(self) -> str:
        return self.said(self.topics()[-1])[0]

    def topics(self) -> tuple[str, ...]:
        return ("map-limit",) if self.share is None else ("map-limit", "map-share")

    def fields(self) -> dict[str, str]:
        return {} if self.share is None else {"share": f"about {percent(self.share)}"}

    def values(self) -> dict[str, Any]:
        return {"limit": "map", "share": self.share}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["map"],)

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """What the map does not tell: that a region was changed."""
        fact = evidence.first(cls)
        modest = clause.take(_NOT_CHANGED, _LOOKED)
        of_region = clause.fresh and clause.scope not in {"effect", "change"}
        if not modest and not (of_region and clause.take(_CHANGED)):
            return
        if fact is None:
            clause.unfounded("no fact tells what the map means")
        else:
            clause.judge(bool(modest), "the map does not tell what was changed", fact)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSeenFact(Fact):
    """What the map could not be read for; no ``regions``: no face part could be told apart."""

    kind: ClassVar[FactKind] = FactKind.LIMIT

    regions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        if not self.regions:
            return "No face parts could be told apart in this view, so no region was looked at."
        listed = ", ".join(f"the {name}" for name in self.regions)
        return f"Outside the picture of the face, and so not looked at: {listed}."

    def values(self) -> dict[str, Any]:
        return {"limit": "not-seen", "regions": self.regions}

    def abroad(self, language: str) -> tuple[str, ...]:
        if not self.regions:
            return (_ABROAD[language]["no-parts"],)
        listed = ", ".join(region_abroad(name, language) for name in self.regions)
        return (_ABROAD[language]["not-seen"].format(regions=listed),)


def limit_facts(
    regions: Sequence[RegionFinding],
    verdict: Verdict,
    record: TrackRecord | None = None,
    map_share: float | None = None,
) -> list[Fact]:
    """The limits of a case whose map was read for ``regions``.

    What is missed is told where the face is not flagged and the detector's record says it.
    """
    hidden = tuple(r.region for r in regions if r.area == 0 and r.region != "background")
    facts: list[Fact] = [NotProofFact(id="L1")]
    if regions:
        facts.append(MapLimitFact(id="L2", share=map_share))
    if hidden or not regions:
        facts.append(NotSeenFact(id=f"L{len(facts) + 1}", regions=hidden))
    if record is not None and record.misses and verdict is not Verdict.LIKELY_MANIPULATED:
        facts.append(MissesFact(id=f"L{len(facts) + 1}", verdict=verdict, misses=record.misses))
    return facts
