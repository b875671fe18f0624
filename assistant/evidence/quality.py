"""Q: what is wrong with the picture of a face, and what that means for trust."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.amounts import amounts, matches_value
from assistant.evidence.languages import amount_abroad, sentences
from assistant.evidence.reading import negated
from assistant.numbers import amount
from assistant.resources import table
from assistant.types import Clause, Evidence, Fact, FactKind, QualityIssue, QualityNote, Wordings

__all__ = ["FlawlessFact", "QualityFact", "quality_facts"]

_ENGLISH, _ABROAD = sentences("quality")

_MOST_NOTES = 4
_Q = QualityIssue

# language -> issue -> what is the case, what it means for trust
_ISSUES = table("evidence/sentences/quality.yaml")["issues"]
_PROBLEM = re.compile(
    r"\b(?:quality (?:problems?|issues?)|(?:problems?|issues?) with the (?:\w+ )?quality|problems?(?: of the (?:picture|photo|image))?|"
    r"(?:poor|low|bad|good|high|fine|sufficient) (?:image |picture |photo )?quality|"
    r"quality (?:is|was) (?:\w+ )?(?:poor|low|bad|good|high|fine|sufficient|a problem))\b"
)
# How people say each issue.
_SAID: Mapping[QualityIssue, re.Pattern[str]] = {
    _Q.SMALL: re.compile(
        r"\b(?:(?:face|picture|photo|image|it) is (?:very |too |rather )?(?:small|tiny)|small face|"
        r"low[- ]res(?:olution)?|few pixels|resolution is low|small size of the face)\b"
    ),
    _Q.BLURRED: re.compile(
        r"\b(?:blurred|blurry|blur|blurriness|out of focus|unsharp|not sharp|lack of sharpness)\b"
    ),
    _Q.TURNED: re.compile(
        r"\b(?:turned away|turned to the side|in profile|side view|looks away)\b"
    ),
    _Q.DARK: re.compile(r"\b(?:dark|underexposed|under-exposed|poorly lit|dim|low light)\b"),
    _Q.BRIGHT: re.compile(r"\b(?:overexposed|over-exposed|too bright|washed out)\b"),
    _Q.CUT_OFF: re.compile(r"\b(?:cut off|cut-off|cropped|partly outside|out of frame)\b"),
    _Q.GREYSCALE: re.compile(
        r"\b(?:grey-?scale|gray-?scale|black and white|without colou?r|no colou?r)\b"
    ),
    _Q.COMPRESSED: re.compile(
        r"\b(?:compression|(?:heavily|strongly|highly) compressed|jpeg arti?e?facts)\b"
    ),
    _Q.COVERED: re.compile(r"\b(?:eyes (?:are )?not visible|eyes cannot be seen|sunglasses)\b"),
    _Q.UNSURE: re.compile(
        r"\b(?:found with low confidence|low[- ]confidence (?:face|find)|hard to find)\b"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFact(Fact):
    """One quality problem: the value measured, the limit that it misses, in ``unit``."""

    kind: ClassVar[FactKind] = FactKind.QUALITY
    wordings: ClassVar[Wordings] = _ENGLISH["quality"]

    issue: QualityIssue
    value: float
    limit: float
    unit: str

    @property
    def text(self) -> str:
        return (
            "{Case} (measured {value}, limit {limit}): {meaning}, so trust the score less."
        ).format(**self.fields())

    def abroad(self, language: str) -> tuple[str, ...]:
        case, meaning = _ISSUES[language][self.issue.value]
        value, limit = (amount_abroad(v, self.unit) for v in (self.value, self.limit))
        said = _ABROAD[language]["issue"]
        return (said.format(case=case, meaning=meaning, value=value, limit=limit),)

    def fields(self) -> dict[str, str]:
        case, meaning = _ISSUES["en"][self.issue.value]
        return {
            "case": case,
            "Case": case[0].upper() + case[1:],
            "meaning": meaning,
            "value": amount(self.value, self.unit),
            "limit": amount(self.limit, self.unit),
        }

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """Whether problems are noted, and the values that were measured."""
        known = {fact.issue: fact for fact in evidence.of(cls)}
        every: tuple[Fact, ...] = (*known.values(), *evidence.of(FlawlessFact))
        said = [i for i, p in _SAID.items() if clause.scope != "change" and clause.take(p)]
        denied = negated(clause)
        if (said or _PROBLEM.search(clause.text)) and not every:
            clause.unfounded("no fact speaks of quality")
            return
        for issue in said:
            clause.scope, clause.subjects = "quality", (issue.value,)
            fact = known.get(issue)
            good = (fact is None) is denied
            clause.judge(good, f"{'' if fact else 'not '}noted: {issue.value}", fact or every[0])
        general = clause.take(_PROBLEM)
        if general:
            clause.scope = "quality"
            if not re.search(r"\bproblem|\bissue|\bpoor|\blow\b|\bbad\b", general[0][0]):
                clause.unfounded("only problems are measured, not good quality")
            else:
                clause.judge(bool(known) is not denied, "the quality notes say otherwise", every[0])
        for fact in known.values():
            unit = re.search(rf"\d {re.escape(fact.unit)}\b", clause.text) if fact.unit else None
            if unit or (clause.scope == "quality" and fact.issue.value in clause.subjects):
                fact.judge_numbers(clause)

    def judge_numbers(self, clause: Clause) -> None:
        """Check the value and the limit of this note."""
        for written in amounts(clause.text):
            before = clause.text[max(0, written.start - 16) : written.start]
            wanted = (
                self.limit
                if re.search(r"\blimit\b|\bat least\b|\bneeds?\b", before)
                else self.value
            )
            clause.blank(written.start, written.end)
            if before.endswith("of ") and self.unit == f"of {written.value:.0f}":
                continue  # the 255 of "62 of 255"
            # Whole from 20 on, else with at most two digits, zeros left out.
            exact = matches_value(dataclasses.replace(written, qualifier=""), wanted)
            good = exact or (abs(wanted) < 20 and abs(round(wanted, 2) - written.value) < 1e-9)
            clause.judge(good, "that is not the measurement", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlawlessFact(Fact):
    """No quality problem was measured."""

    kind: ClassVar[FactKind] = FactKind.QUALITY
    wordings: ClassVar[Wordings] = _ENGLISH["flawless"]

    def values(self) -> dict[str, Any]:
        return {"issue": "", "value": 0.0, "limit": 0.0, "unit": ""}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["flawless"],)


def quality_facts(notes: Sequence[QualityNote]) -> list[Fact]:
    """At most four notes as facts, or that there is none."""
    if not notes:
        return [FlawlessFact(id="Q1")]
    return [
        QualityFact(id=f"Q{i}", issue=n.issue, value=n.value, limit=n.limit, unit=n.unit)
        for i, n in enumerate(notes[:_MOST_NOTES], 1)
    ]
