"""C: what the score is once a region is neutralised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.amounts import matches
from assistant.evidence.languages import (
    listed_abroad,
    percent_abroad,
    region_abroad,
    sentences,
    verdict_abroad,
)
from assistant.evidence.moves import (
    goes_on,
    tells_exactly,
    tells_of_move,
    wrong_direction,
    wrong_numbers,
    wrong_verdict,
)
from assistant.evidence.names import the_region, the_regions
from assistant.evidence.reading import FLIPS, SAME, clear, label_of, named, shares
from assistant.numbers import percent, points
from assistant.types import Clause, Evidence, Fact, FactKind, Verdict, Wordings

__all__ = ["EffectFact", "SmallestSetFact"]

_ENGLISH, _ABROAD = sentences("effects")

_HARDLY = 0.05
_CUE = re.compile(r"\bneutrali[sz]|\brandom patches\b|\b(?:with|when) [^,]*\bcovered\b")
_NOT_ALONE = re.compile(
    r"\b(?:so )?(?:it|the score) (?:does|did|would) not (?:rest|depend) on (?:it|that|this|that region|"
    r"this region) alone\b"
)
_TAKEN_OUT = re.compile(
    r"\bneutrali[sz]\w*|\b(?:covered|covering|hidden|hiding|removed|removing|masked|masking|"
    r"blanked|taken away|taken out|left out)\b|\bwithout\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFact(Fact):
    """One region neutralised and the face scored again.

    Attributes:
        region: one of :data:`assistant.types.REGIONS`.
        before: P(manipulated) of the untouched crop.
        after: P(manipulated) with the region neutralised.
        matters: whether the change is larger than random patches explain.
        stands_out: whether the map points to the region.
        verdict: of ``before``.
        verdict_after: of ``after``.
        control: mean change of P(manipulated) by equally large random patches.
        control_n: how many patches; 0 leaves the comparison out.
        method: how the region was neutralised; ``left-out``: the picture around was not looked at.
    """

    kind: ClassVar[FactKind] = FactKind.COUNTERFACTUAL
    wordings: ClassVar[Wordings] = _ENGLISH["effect"]
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = ("effect", _CUE)

    region: str
    before: float
    after: float
    matters: bool
    stands_out: bool
    verdict: Verdict
    verdict_after: Verdict
    control: float = 0.0
    control_n: int = 0
    method: str = "inpaint"

    @property
    def change(self) -> float:
        """Of P(manipulated)."""
        return self.after - self.before

    @property
    def effect(self) -> str:
        """``lowers``, ``raises``, ``hardly`` or ``like-random``."""
        if abs(self.change) < _HARDLY:
            return "hardly"
        if not self.matters:
            return "like-random"
        return "lowers" if self.change < 0 else "raises"

    @property
    def changes_verdict(self) -> bool:
        """Whether another verdict would be read from ``after``."""
        return self.verdict_after is not self.verdict

    @property
    def steady(self) -> bool:
        """Whether the score is written the same before and after."""
        return percent(self.before) == percent(self.after)

    @property
    def beside(self) -> str:
        """What random patches did, as a sentence; empty where that is not told."""
        if self.effect not in {"lowers", "raises"} or not self.control_n:
            return ""
        return f"Random patches of that size move it by {points(self.control)} on average."

    @property
    def text(self) -> str:
        where = the_region(self.region)
        span = f"from {percent(self.before)} to {percent(self.after)}"
        if self.effect == "like-random":
            said = [
                f"Neutralising {where} moves the score {span}, but random patches of that size can "
                "do the same."
            ]
        elif self.effect == "hardly":
            moved = f"hardly moves the score ({f'it stays at {percent(self.before)}' if self.steady else span})."
            said = [f"Neutralising {where} {moved}"]
            if self.stands_out:
                said = [f"The map points to {where}, but neutralising it {moved}"]
        else:
            said = [f"Neutralising {where} {self.effect} the score {span}.", self.beside]
            if self.method == "left-out":
                said.append("What is scored then is the aligned face alone.")
            if not self.stands_out:
                said.append(f"The map does not point to the {self.region}.")
        if self.changes_verdict:
            said.append(f"Without {where}, the verdict would be {self.verdict_after.words}.")
        return " ".join(s for s in said if s)

    def values(self) -> dict[str, Any]:
        return {
            "region": self.region,
            "method": self.method,
            "before": self.before,
            "after": self.after,
            "control": self.control,
            "control_n": self.control_n,
            "effect": self.effect,
            "stands_out": self.stands_out,
            "verdict_after": self.verdict_after.value,
            "changes_verdict": self.changes_verdict,
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        t = _ABROAD[language]
        key = "hardly-map" if self.effect == "hardly" and self.stands_out else self.effect
        fields = {
            "region": region_abroad(self.region, language, subject=False),
            "before": percent_abroad(self.before, language),
            "after": percent_abroad(self.after, language),
            "verdict": verdict_abroad(self.verdict_after, language),
        }
        said = t[key].format(**fields)
        return (said, t["then"].format(**fields)) if self.changes_verdict else (said,)

    def topic(self, *, told: bool = False) -> str:
        """The topic of its sentence; ``told``: that the map points to the region was said before."""
        topic = f"effect-{self.effect}"
        if self.effect == "hardly" and self.changes_verdict and not self.steady:
            topic = "effect-small"  # little, but it turns the verdict
        elif self.effect == "hardly":
            if self.stands_out and not self.changes_verdict:
                topic = "effect-hardly-told" if told else "effect-hardly-map"
            if self.steady:
                topic += "-same"
        return topic

    def topics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.topic(), self.topic(told=True))))

    def fields(self) -> dict[str, str]:
        return {
            "region": f"the {self.region}",
            "Region": f"The {self.region}",
            "before": percent(self.before),
            "after": percent(self.after),
        }

    def said(self, topic: str, **fields: str) -> tuple[str, ...]:
        said = Fact.said(self, topic, **fields)
        # What random patches can do as well is not told as an effect on the verdict.
        if not self.changes_verdict or self.effect == "like-random":
            return said
        after = f", and the verdict would be {self.verdict_after.words}."
        return tuple(s.removesuffix(".") + after for s in said)

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """What neutralising a region did to the score and the verdict."""
        if clause.scope != "effect":
            return
        names = clause.names
        known = {fact.region: fact for fact in evidence.of(cls)}
        if clause.take(_NOT_ALONE):
            fact = known.get(names[-1]) if names else None
            if fact is None:
                clause.unfounded(f"neutralising {named(names)} was not measured")
            else:
                good = fact.effect == "hardly" and not fact.changes_verdict
                clause.judge(good, "without that region the score moves", fact)
        said = clause.take(_TAKEN_OUT)
        if not tells_of_move(clause.text):
            clause.neutral = clause.neutral or bool(said)
            return
        sets = [
            fact
            for fact in evidence.of(SmallestSetFact)
            if set(names) in (set(fact.regions), set(fact.tried))
        ]
        if sets and (len(names) > 1 or not set(names) & set(known)):
            sets[0].judge_set(clause)
        elif not names or not set(names) <= set(known):
            clause.unfounded(f"neutralising {named(names)} was not measured")
        else:
            for name in names:
                known[name].judge_effect(clause)
        clear(clause)

    def judge_effect(self, clause: Clause) -> None:
        """Check a clause on this region."""
        text = clause.text
        random = "random" in text or "random" in clause.whole
        if wrong_direction(text, self.effect, self.change):
            clause.wrong("the score moved in another way", self)
        elif goes_on(text):
            like = self.effect == "like-random"
            clause.judge(like, "random patches did not do the same", self)
        elif not tells_exactly(text):
            clause.unfounded("does not say what that did to the score")
        elif self.effect == "like-random" and not random and "verdict" not in text:
            clause.unfounded("random patches of that size can do the same")
        elif wrong_numbers(text, self.before, self.after, self.control if random else self.change):
            clause.wrong("those are not the scores measured", self)
        else:
            wrong = wrong_verdict(clause, self.verdict_after, changes=self.changes_verdict)
            clause.judge(not wrong, wrong, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallestSetFact(Fact):
    """The smallest set of regions whose neutralising changes the verdict.

    ``regions``: empty where none was found among those ``tried``.
    """

    kind: ClassVar[FactKind] = FactKind.COUNTERFACTUAL

    regions: tuple[str, ...]
    after: float
    verdict_after: Verdict
    tried: tuple[str, ...]

    @property
    def text(self) -> str:
        if self.regions:
            return (
                f"Neutralising {the_regions(self.regions)} would change the verdict to "
                f"{self.verdict_after.words} ({percent(self.after)})."
            )
        together = " together" if len(self.tried) > 1 else ""
        return f"Neutralising {the_regions(self.tried)}{together} does not change the verdict."

    def abroad(self, language: str) -> tuple[str, ...]:
        return (
            _ABROAD[language]["set" if self.regions else "set-none"].format(
                regions=listed_abroad(self.regions or self.tried, language),
                verdict=verdict_abroad(self.verdict_after, language),
                after=percent_abroad(self.after, language),
            ),
        )

    def judge_set(self, clause: Clause) -> None:
        """Check a clause on these regions together."""
        text, found = clause.text, bool(self.regions)
        label = label_of(text)
        if SAME.search(text):
            good = not found
        elif label is not None or FLIPS.search(text):
            good = found and label in {None, self.verdict_after}
        else:
            good = found
        told = all(matches(a, self.after) for a in shares(text))
        good = good and told and (found or not shares(text))
        clause.judge(good, "neutralising these regions did something else", self)
