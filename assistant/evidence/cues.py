"""V: what can be seen to differ between two places of the picture. Never moves a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.numbers import amount
from assistant.types import ANY_KIND, BaseRate, CueFinding, CuesLooked, Fact, FactKind

__all__ = ["CueFact", "NoCueFact", "cue_facts"]

_MOST_VISIBLE, _MOST_TECHNICAL = 3, 1
_NOTHING = {
    "en": "Nothing that can be seen was measured to differ; the score rests on statistics that the "
    "eye does not see.",
    "de": "Es wurde nichts gemessen, was sichtbar abweicht; der Wert beruht auf Statistik, die das "
    "Auge nicht sieht.",
    "es": "No se ha medido nada visible que difiera; la puntuación se basa en estadísticas que el "
    "ojo no ve.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CueFact(Fact):
    """One cue beyond its limit: both places, what was measured, and how often that is so."""

    kind: ClassVar[FactKind] = FactKind.CUE

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
        first, second = self.places
        number = amount(self.value, "")
        if self.unit == "times":
            said = f"The {first} holds {number} times as much {self.quantity} as the {second}"
        else:
            said = f"The {first} differs from the {second} by {number} {self.unit}"
        if not self.visible:
            said = f"A statistic that the eye does not see: {said[0].lower()}{said[1:]}"
        return (
            f"{said}; {_rate(self.genuine)} genuine faces of this size and picture quality show "
            f"something as unusual, and {_rate(self.manipulated)} {self.of_kind} do."
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCueFact(Fact):
    """No visible cue speaks for this face: ``judged`` were measured, the others could not be."""

    kind: ClassVar[FactKind] = FactKind.CUE

    judged: int
    not_judged: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        if self.judged:
            return _NOTHING["en"]
        reason = self.not_judged[0][1] if self.not_judged else "none is installed"
        return f"No visible cue was judged, because {reason}."

    def values(self) -> dict[str, Any]:
        return {
            "judged": self.judged,
            "not_judged": [{"cue": cue, "reason": why} for cue, why in self.not_judged],
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_NOTHING[language],) if self.judged else ()


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


def _rate(rate: BaseRate) -> str:
    """A share with its interval: ``4 in 100 (2 to 7)``."""
    count = "fewer than 1" if rate.share < 0.005 else f"{100 * rate.share:.0f}"
    return f"{count} in 100 ({100 * rate.low:.0f} to {100 * rate.high:.0f})"


def _rate_json(rate: BaseRate) -> dict[str, float | int]:
    return {
        "share": round(rate.share, 4),
        "low": round(rate.low, 4),
        "high": round(rate.high, 4),
        "faces": rate.faces,
    }
