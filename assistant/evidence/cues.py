"""V: what can be seen to differ between two places of the picture. Never moves a score."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.amounts import Amount, amounts, matches, matches_value
from assistant.evidence.languages import sentences
from assistant.numbers import amount
from assistant.types import (
    ANY_KIND,
    BaseRate,
    Clause,
    CueFinding,
    CuesLooked,
    Evidence,
    Fact,
    FactKind,
)

__all__ = ["CueFact", "NoCueFact", "cue_facts"]

_ENGLISH, _ABROAD = sentences("cues")

_MOST_VISIBLE, _MOST_TECHNICAL = 3, 1
_CUE = re.compile(
    r"\b(?:fine (?:detail|structure)|grain|colou?r|genuine faces|as unusual|compared?|"
    r"can be seen|eye does not see)\b|\b\d+ in 100 (?:[a-z]+ ){1,4}(?:do|show)\b"
)
_LESS = re.compile(r"\b(?:less|lower|weaker|softer|poorer)\b")
_MORE = re.compile(r"\b(?:more|higher|stronger|sharper|richer)\b(?! than \d)")
_MANIPULATED = re.compile(r"\b(?:manipulat|swap|edit|drawn|generat|made by|reenact)")
_SCENE = re.compile(
    r"\b(?:genuine|show(?:s|ing)? something as unusual|something as unusual|what can be seen|"
    r"compared?(?: to| with)?|a statistic that the eye does not see|is unusual|differs?(?: from)?|"
    r"visible cue)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CueFact(Fact):
    """One cue beyond its limit: both places, what was measured, and how often that is so."""

    kind: ClassVar[FactKind] = FactKind.CUE
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = ("cue", _CUE)

    cue_name: str
    quantity: str
    value: float
    unit: str
    places: tuple[str, str]
    boxes: tuple[tuple[float, ...], tuple[float, ...]]
    genuine: BaseRate
    manipulated: BaseRate
    visible: bool = True
    of_kind: str = ANY_KIND

    @property
    def text(self) -> str:
        return self._told(" of this size and picture quality", _rate)

    @property
    def short(self) -> str:
        """As :attr:`text`, without the intervals of the rates."""
        return self._told("", _share)

    def _told(self, like: str, rate: Callable[[BaseRate], str]) -> str:
        first, second = self.places
        number = amount(self.value, "")
        if self.unit == "times":
            verb = "hold" if _is_plural(first) else "holds"
            said = f"The {first} {verb} {number} times as much {self.quantity} as the {second}"
        else:
            said = f"The {first} {'differ' if _is_plural(first) else 'differs'} from the {second}"
            if self.unit != "dB":  # a number that nobody can picture
                said = f"{said} by {number} {self.unit}"
        if not self.visible:
            said = f"A statistic that the eye does not see: {said[0].lower()}{said[1:]}"
        return (
            f"{said}; {rate(self.genuine)} genuine faces{like} show something as unusual, "
            f"and {rate(self.manipulated)} {self.of_kind} do."
        )

    def values(self) -> dict[str, Any]:
        return {
            "cue": self.cue_name,
            "quantity": self.quantity,
            "value": round(self.value, 4),
            "unit": self.unit,
            "places": [
                {"name": name, "box_xyxy": [round(float(v), 1) for v in box]}
                for name, box in zip(self.places, self.boxes, strict=True)
            ],
            "genuine": _rate_json(self.genuine),
            "manipulated": _rate_json(self.manipulated),
            "kind": self.of_kind,
            "visible": self.visible,
        }

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """What was compared, which of both has more of it, and how often that is so."""
        facts = evidence.of(cls)
        if clause.scope != "cue" or not facts:
            return
        numbers = amounts(clause.text)
        about = [f for f in facts if f._is_named(clause.whole)] or [*facts]
        fact = max(about, key=lambda f: sum(f._says(clause.text, n, numbers) for n in numbers))
        for number in numbers:
            good = fact._says(clause.text, number, numbers)
            clause.judge(good, "that is not what was measured of this cue", fact)
        fact._judge_direction(clause)
        if re.search(r"\bmap\b", clause.whole) and not fact._is_named(clause.whole):
            clause.wrong("a cue is measured in the picture, not in the map", fact)
        for number in numbers:
            clause.blank(number.start, number.end)
        # The longer name first, as it may hold the other.
        for name in sorted((*fact.places, fact.quantity, fact.of_kind), key=len, reverse=True):
            if clause.take(re.compile(rf"\b{re.escape(name.lower())}\b")):
                clause.neutral = True
        clause.regions, clause.fresh = (), False
        clause.take(_SCENE, _LESS, _MORE)

    def _is_named(self, sentence: str) -> bool:
        return all(place.lower() in sentence for place in self.places)

    def _says(self, text: str, number: Amount, every: Sequence[Amount]) -> bool:
        """Whether a number of ``text`` is the value, a rate of those it is said of, or its end."""
        if number.unit not in {"in100", "%", ""}:
            return matches_value(number, abs(self.value))
        end = min((n.start for n in every if n.start > number.start), default=len(text))
        of = text[number.end : end]
        rates = [self.genuine] if "genuine" in of else [self.manipulated]
        if "genuine" not in of and not _MANIPULATED.search(of):
            rates = [self.genuine, self.manipulated]
        if number.unit in {"in100", "%"} and any(matches(number, r.share) for r in rates):
            return True
        ends = [100 * end for r in rates for end in (r.low, r.high)]
        alone = number.unit == "" or self.unit.startswith("%")
        return alone and any(matches_value(number, v) for v in (*ends, abs(self.value)))

    def _judge_direction(self, clause: Clause) -> None:
        """Which place is told to have more: the first named, unless it is the other way round."""
        first, second = (place.lower() for place in self.places)
        if self.unit != "times":
            return
        text = clause.text.replace(second, "#" * len(second))
        turned = -1 < text.find("#") < text.find(first)
        if turned and (_LESS.search(text) or _MORE.search(text) or " times" in clause.text):
            clause.wrong(f"it is the {first} that was compared with the {second}", self)
        elif _LESS.search(text) or _MORE.search(text):
            less = _LESS.search(text) is not None
            reason = f"the {first} has {'less' if self.value < 1 else 'more'} of it"
            clause.judge(less is (self.value < 1), reason, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCueFact(Fact):
    """No visible cue speaks for this face: ``judged`` were measured, the others could not be."""

    kind: ClassVar[FactKind] = FactKind.CUE

    judged: int
    not_judged: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        if self.judged:
            return _ENGLISH["no-cue"]["nothing"][0]
        reason = self.not_judged[0][1] if self.not_judged else "none is installed"
        return f"No visible cue was judged, because {reason}."

    def values(self) -> dict[str, Any]:
        return {
            "judged": self.judged,
            "not_judged": [{"cue": cue, "reason": why} for cue, why in self.not_judged],
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["nothing"],) if self.judged else ()


def cue_facts(looked: CuesLooked) -> list[Fact]:
    """At most three visible cues and one technical one; that no visible one speaks, if so."""
    visible = [f for f in looked.spoken if f.visible][:_MOST_VISIBLE]
    technical = [f for f in looked.spoken if not f.visible][:_MOST_TECHNICAL]
    facts: list[Fact] = [_cue_fact(i, f) for i, f in enumerate(visible, 1)]
    if not visible:
        silent = tuple((n.cue, n.reason) for n in looked.not_judged)
        facts.append(NoCueFact(id="V1", judged=len(looked.findings), not_judged=silent))
    return [*facts, *(_cue_fact(len(facts) + i, f) for i, f in enumerate(technical, 1))]


def _cue_fact(number: int, finding: CueFinding) -> CueFact:
    reading = finding.reading
    first, second = reading.places
    return CueFact(
        id=f"V{number}",
        cue_name=reading.cue,
        quantity=reading.quantity,
        value=reading.value,
        unit=reading.unit,
        places=(first.name, second.name),
        boxes=(first.box_xyxy, second.box_xyxy),
        genuine=finding.genuine,
        manipulated=finding.manipulated,
        visible=finding.visible,
        of_kind=finding.kind,
    )


def _is_plural(place: str) -> bool:
    head = re.split(r" (?:of|in|inside|around) ", place)[0]
    return head.endswith("s") or " and " in head


def _rate(rate: BaseRate) -> str:
    """A share with its interval: ``4 in 100 (2 to 7)``."""
    return f"{_share(rate)} ({100 * rate.low:.0f} to {100 * rate.high:.0f})"


def _share(rate: BaseRate) -> str:
    count = "fewer than 1" if rate.share < 0.005 else f"{100 * rate.share:.0f}"
    return f"{count} in 100"


def _rate_json(rate: BaseRate) -> dict[str, float | int]:
    return {
        "share": round(rate.share, 4),
        "low": round(rate.low, 4),
        "high": round(rate.high, 4),
        "faces": rate.faces,
    }
