"""O: what other detectors say of the face. It never moves the score of the one that speaks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant import registry
from assistant.evidence.amounts import matches
from assistant.evidence.languages import percent_abroad, sentences
from assistant.evidence.names import listed
from assistant.evidence.reading import FAKE, REAL, SAME, UNSURE, clear, label_of, negated, shares
from assistant.numbers import percent
from assistant.routing import asks_agreement, named_detector
from assistant.types import Clause, Evidence, Fact, FactKind, Opinion, Score, Verdict, Wordings

__all__ = ["AgreementFact", "OpinionFact", "agreement_facts", "told_opinions"]

_ENGLISH, _ABROAD = sentences("opinions")

#: Counts of detectors, as they are written.
_WORDS = [
    "no", "one", "two", "three", "four", "five", "six", "seven",
    "eight", "nine", "ten", "eleven", "twelve",
]  # fmt: skip
_NUMBER = rf"(?:{'|'.join(_WORDS)}|\d+)"
_COUNT = re.compile(
    rf"\b(?P<some>{_NUMBER}|all|both|none)(?: of)?(?: the)?(?: (?P<all>{_NUMBER}))?(?: other)? detectors\b"
)
_SPLIT = re.compile(r"\b(?:split|disagree\w*|divided|do not agree|differ)\b")
_AGREE = re.compile(r"\b(?:agree\w*|unanimous\w*|lean\w*|says?|calls?|finds?|thinks?)\b")
_LEAN = re.compile(r"\b(?:they|most|the majority)\b.*\blean\w*")
_AWAY = re.compile(r"\b(?:away from|against)\b")
_SECOND = r"second (?:opinion|detector)|(?:an)?other detectors?|other opinion"


def _pattern(names: Sequence[str]) -> str:
    """A pattern for detectors by name; one that is a word of English only where it is called one."""
    found = [re.escape(name).replace(r"\-", "[- ]") for name in names if name != "effort"]
    return "|".join([*sorted(found, key=len, reverse=True), r"(?<=detector )effort"])


_BY_NAME = _pattern(registry.names("detectors", plugins=False))
_CUE = re.compile(rf"\b(?:{_SECOND}|detectors|{_BY_NAME})\b")


def _worded(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)


def _counted(text: str) -> int:
    return int(text) if text.isdigit() else _WORDS.index(text)


def _told(opinion: Opinion) -> str:
    value = percent(opinion.value) if opinion.calibrated else "not calibrated"
    return f"{opinion.detector} ({value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementFact(Fact):
    """How many members of an ensemble agree, and what each says."""

    kind: ClassVar[FactKind] = FactKind.OPINION
    wordings: ClassVar[Wordings] = _ENGLISH["agreement"]
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = ("opinion", _CUE)

    opinions: tuple[Opinion, ...]

    @property
    def manipulated(self) -> tuple[Opinion, ...]:
        """Those that lean towards a manipulated face."""
        return tuple(o for o in self.opinions if o.manipulated)

    @property
    def agree(self) -> int:
        """How many stand on the side that has more."""
        return max(len(self.manipulated), len(self.opinions) - len(self.manipulated))

    @property
    def split(self) -> bool:
        """Whether both sides have as many."""
        return 2 * self.agree == len(self.opinions)

    @property
    def side(self) -> bool | None:
        """Whether most lean towards a manipulated face; None where they are split."""
        return None if self.split else self.agree == len(self.manipulated)

    @property
    def text(self) -> str:
        return f"{self.said(self.topics()[0])[0]} {self.by_name}"

    @property
    def by_name(self) -> str:
        """The sentence that tells who leans where."""
        rest = tuple(o for o in self.opinions if not o.manipulated)
        told = [
            f"{listed([_told(o) for o in who])} {'leans' if len(who) == 1 else 'lean'} {side}"
            for who, side in ((self.manipulated, "towards it"), (rest, "away from it"))
            if who
        ]
        return f"By name: {'; '.join(told)}."

    def topics(self) -> tuple[str, ...]:
        whole = len(self.opinions) == self.agree
        return ("agreement-split" if self.split else "agreement-all" if whole else "agreement",)

    def fields(self) -> dict[str, str]:
        return {
            "some": _worded(self.agree),
            "Some": _worded(self.agree).capitalize(),
            "total": _worded(len(self.opinions)),
            "side": "towards" if self.side else "away from",
        }

    def values(self) -> dict[str, Any]:
        return {
            "agree": self.agree,
            "detectors": len(self.opinions),
            "side": {True: "manipulated", False: "not manipulated", None: "split"}[self.side],
            "opinions": [
                {
                    "detector": o.detector,
                    "value": o.value,
                    "calibrated": o.calibrated,
                    "leans_to_manipulated": o.manipulated,
                }
                for o in self.opinions
            ],
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        side = {True: "towards", False: "away", None: "split"}[self.side]
        return (_ABROAD[language][side].format(agree=self.agree, total=len(self.opinions)),)

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """How many agree, on which side, and that they are split."""
        if clause.scope != "opinion":
            return
        found, split = _COUNT.search(clause.text), _SPLIT.search(clause.text)
        fact = evidence.first(cls)
        if not found and not (split and "detectors" in clause.text):
            side = _towards(clause) if _LEAN.search(clause.text) else None
            if fact is not None and side is not None:  # "they lean ...", of those counted before
                clause.judge(side is fact.side, fact.said(fact.topics()[0])[0], fact)
                clear(clause)
                clause.take(_AGREE, _AWAY)
            return
        if fact is None:
            clause.unfounded("no other detectors were asked")
        else:
            clause.judge(
                fact._fits(clause, found, bool(split)), fact.said(fact.topics()[0])[0], fact
            )
        clear(clause)
        clause.take(_COUNT, _SPLIT, _AGREE, _AWAY)

    def _fits(self, clause: Clause, found: re.Match[str] | None, split: bool) -> bool:
        total = len(self.opinions)
        if split and not (found and negated(clause)):
            return self.split or (self.agree < total and "all" not in clause.text)
        if found is None:
            return False
        some, whole = found["some"], found["all"]
        if some in {"all", "both"}:
            count, of = total, _counted(whole) if whole else total
            count_fits = self.agree == total and of == total
        elif some in {"none", "no"}:
            return False
        elif whole is None:  # "four detectors" alone counts them all
            return _counted(some) == total
        else:
            count, of = _counted(some), _counted(whole)
            count_fits = of == total and count in {self.agree, total - self.agree}
            if count_fits and count != self.agree:
                return _towards(clause) is (not self.side)
        said = _towards(clause)
        return count_fits and (said is None or said is self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionFact(Fact):
    """What a second detector says of the face, beside the score of the first."""

    kind: ClassVar[FactKind] = FactKind.OPINION
    wordings: ClassVar[Wordings] = _ENGLISH["opinion"]
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = ("opinion", _CUE)

    opinion: Opinion
    low: float
    high: float
    verdict: Verdict
    first: str
    first_verdict: Verdict

    @classmethod
    def of(cls, score: Score, first: Score) -> OpinionFact:
        """Of two scores of one face, as fact O1."""
        said = Opinion(
            detector=score.detector, value=score.probability, calibrated=score.calibrated
        )
        return cls(
            id="O1",
            opinion=said,
            low=score.interval[0],
            high=score.interval[1],
            verdict=score.verdict,
            first=first.detector,
            first_verdict=first.verdict,
        )

    def topics(self) -> tuple[str, ...]:
        return ("opinion",) if self.opinion.calibrated else ("opinion-raw",)

    def fields(self) -> dict[str, str]:
        return {
            "detector": self.opinion.detector,
            "shown": percent(self.opinion.value),
            "verdict": self.verdict.words,
            "side": "towards" if self.opinion.manipulated else "away from",
            "same": "the same" if self.verdict is self.first_verdict else "not the same",
            "first": self.first,
        }

    def values(self) -> dict[str, Any]:
        return {
            "detector": self.opinion.detector,
            "value": self.opinion.value,
            "calibrated": self.opinion.calibrated,
            "interval": [self.low, self.high],
            "verdict": self.verdict.value if self.opinion.calibrated else None,
            "leans_to_manipulated": self.opinion.manipulated,
            "first": self.first,
            "same_verdict": self.verdict is self.first_verdict if self.opinion.calibrated else None,
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        words = _ABROAD[language]
        side = "leans" if self.opinion.manipulated else "leans-away"
        return (
            words["opinion" if self.opinion.calibrated else side].format(
                detector=self.opinion.detector, shown=percent_abroad(self.opinion.value, language)
            ),
        )

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """What one other detector says: its number, its verdict or the side that it leans to."""
        if clause.scope != "opinion" or not clause.text.strip():
            return
        known = _known(evidence)
        asked = [name for name in known if re.search(rf"\b{_pattern([name])}\b", clause.text)]
        if not asked and re.search(_SECOND, clause.text):
            asked = [fact.opinion.detector for fact in evidence.of(cls)][-1:]
            if not asked:
                clause.unfounded("no second detector was asked")
                clear(clause)
                return
        stranger = re.search(rf"\b(?:{_BY_NAME})\b", clause.text)
        if not asked:
            if stranger:
                clause.unfounded(f"{stranger[0]} was not asked")
                clear(clause)
            return
        for name in asked:
            opinion, verdict, fact = known[name]
            wrong = _against(clause, opinion, verdict)
            clause.judge(not wrong, wrong, fact)
        clear(clause)
        clause.take(_AGREE, _AWAY, SAME)


def _known(evidence: Evidence) -> dict[str, tuple[Opinion, Verdict | None, Fact]]:
    """Every detector that was asked beside the one that speaks, with its verdict if it gave one."""
    known: dict[str, tuple[Opinion, Verdict | None, Fact]] = {}
    for agreed in evidence.of(AgreementFact):
        known |= {o.detector: (o, None, agreed) for o in agreed.opinions}
    for fact in evidence.of(OpinionFact):
        verdict = fact.verdict if fact.opinion.calibrated else None
        known[fact.opinion.detector] = (fact.opinion, verdict, fact)
    return known


def _against(clause: Clause, opinion: Opinion, verdict: Verdict | None) -> str:
    """What in a clause is against an opinion; empty where it fits."""
    numbers = shares(clause.text)
    if numbers and not opinion.calibrated:
        return f"{opinion.detector} was never calibrated, so it gives no probability"
    if any(not matches(a, opinion.value) for a in numbers):
        return f"{opinion.detector} says {percent(opinion.value)}"
    said = label_of(clause.text)
    if said is Verdict.UNCERTAIN:
        return "" if verdict is said else f"{opinion.detector} gives another verdict"
    towards = _towards(clause)
    if towards is not None and towards is not opinion.manipulated:
        return f"{opinion.detector} leans the other way"
    if re.search(r"\bverdict\b|\blikely\b", clause.text) and said and verdict not in {None, said}:
        return f"the verdict of {opinion.detector} is {verdict.words if verdict else 'none'}"
    return ""


def _towards(clause: Clause) -> bool | None:
    """The side that a clause names: towards a manipulated face, away from one, or none."""
    fake, real = FAKE.search(clause.text), REAL.search(clause.text)
    if UNSURE.search(clause.text) or bool(fake) == bool(real):
        return None
    away = bool(_AWAY.search(clause.text)) or negated(clause)
    return bool(fake) is not away


def told_opinions(evidence: Evidence, question: str) -> tuple[Fact, ...]:
    """The facts that answer a question for other detectors, those asked last first."""
    agreed, asked = evidence.of(AgreementFact), evidence.of(OpinionFact)
    members = {o.detector for fact in agreed for o in fact.opinions}
    names = {fact.opinion.detector for fact in asked}
    named = named_detector(question, sorted(members | names))
    if named is None:
        return ()
    if named:
        told = tuple(fact for fact in asked if fact.opinion.detector == named)
        return told or agreed
    return (*agreed, *asked[::-1]) if asks_agreement(question) else (*asked[::-1], *agreed)


def agreement_facts(opinions: Sequence[Opinion]) -> list[Fact]:
    """What the members of an ensemble say, as fact O1; nothing of a detector without members."""
    return [AgreementFact(id="O1", opinions=tuple(opinions))] if opinions else []
