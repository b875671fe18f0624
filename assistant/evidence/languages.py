"""German and Spanish names, verdicts and numbers that the sentences of facts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.numbers import percent
from assistant.types import Verdict

__all__ = ["REGIONS_ABROAD", "amount_abroad", "listed_abroad", "percent_abroad", "verdict_abroad"]

#: language -> region -> (as subject, as object)
REGIONS_ABROAD: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "de": {
        "left eye": ("das linke Auge (das rechte der Person)",) * 2,
        "right eye": ("das rechte Auge (das linke der Person)",) * 2,
        "nose": ("die Nase",) * 2,
        "mouth": ("der Mund", "den Mund"),
        "left cheek": ("die linke Wange (die rechte der Person)",) * 2,
        "right cheek": ("die rechte Wange (die linke der Person)",) * 2,
        "forehead": ("die Stirn",) * 2,
        "jaw": ("der Kiefer", "den Kiefer"),
        "background": ("der Hintergrund", "den Hintergrund"),
    },
    "es": {
        "left eye": ("el ojo izquierdo (el derecho de la persona)",) * 2,
        "right eye": ("el ojo derecho (el izquierdo de la persona)",) * 2,
        "nose": ("la nariz",) * 2,
        "mouth": ("la boca",) * 2,
        "left cheek": ("la mejilla izquierda (la derecha de la persona)",) * 2,
        "right cheek": ("la mejilla derecha (la izquierda de la persona)",) * 2,
        "forehead": ("la frente",) * 2,
        "jaw": ("la mandíbula",) * 2,
        "background": ("el fondo",) * 2,
    },
}
_VERDICTS: Mapping[str, Mapping[Verdict, str]] = {
    "de": {
        Verdict.NO_SIGN: "kein Anzeichen gefunden",
        Verdict.UNCERTAIN: "unsicher",
        Verdict.LIKELY_MANIPULATED: "wahrscheinlich manipuliert",
    },
    "es": {
        Verdict.NO_SIGN: "ningún indicio",
        Verdict.UNCERTAIN: "incierto",
        Verdict.LIKELY_MANIPULATED: "probablemente manipulado",
    },
}
_ENDS = {"de": ("unter", "über"), "es": ("menos del", "más del")}
_AND = {"de": " und ", "es": " y "}


def verdict_abroad(verdict: Verdict, language: str) -> str:
    """The words of a verdict."""
    return _VERDICTS[language][verdict]


def percent_abroad(share: float, language: str, digits: int = 0) -> str:
    """As :func:`assistant.numbers.percent`."""
    under, over = _ENDS[language]
    return percent(share, digits).replace("under", under).replace("over", over)


def amount_abroad(value: float, unit: str) -> str:
    """A measurement with its unit and a decimal comma."""
    number = f"{value:.0f}" if abs(value) >= 20 else f"{value:.2f}".rstrip("0").rstrip(".")
    number = number.replace(".", ",")
    return f"{number} {unit}".strip() if unit not in {"%", "°"} else f"{number}{unit}"


def listed_abroad(regions: Sequence[str], language: str) -> str:
    """Regions as the object of a sentence."""
    names = [REGIONS_ABROAD[language][region][1] for region in regions]
    return _AND[language].join([", ".join(names[:-1]), names[-1]][-len(names) :])
