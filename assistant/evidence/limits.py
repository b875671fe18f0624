"""L: what the score and the map do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.languages import REGIONS_ABROAD
from assistant.types import Fact, FactKind, RegionFinding, Wordings

__all__ = ["MapLimitFact", "NotProofFact", "NotSeenFact", "limit_facts"]

_ABROAD = {
    "de": {
        "not-proof": "Der Detektor kann sich irren: Sein Wert ist eine Schätzung, kein Beweis.",
        "map": "Die Karte zeigt, wohin der Detektor geschaut hat, nicht, was dort geändert wurde.",
        "no-parts": "In dieser Ansicht ließen sich keine Gesichtsteile unterscheiden; keine Region "
        "wurde angesehen.",
        "not-seen": "Außerhalb des Gesichtsausschnitts und darum nicht angesehen: {regions}.",
    },
    "es": {
        "not-proof": "El detector puede equivocarse: su puntuación es una estimación, no una prueba.",
        "map": "El mapa muestra adónde ha mirado el detector, no lo que se cambió allí.",
        "no-parts": "En esta vista no se distinguen las partes de la cara; no se ha mirado ninguna "
        "región.",
        "not-seen": "Fuera del recorte de la cara, y por eso sin mirar: {regions}.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProofFact(Fact):
    """The score is an estimate."""

    kind: ClassVar[FactKind] = FactKind.LIMIT
    wordings: ClassVar[Wordings] = {
        "not-proof": {
            "train": (
                "The detector can be wrong: its score is an estimate, not proof.",
                "This is an estimate, not proof, and the detector can be wrong.",
                "The score is not proof, because the detector can be wrong.",
            ),
            "heldout": ("Since the detector can be wrong, its score is not proof.",),
        },
    }

    @property
    def text(self) -> str:
        return self.said("not-proof")[0]

    def values(self) -> dict[str, Any]:
        return {"limit": "not-proof"}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["not-proof"],)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLimitFact(Fact):
    """The map does not tell what was changed."""

    kind: ClassVar[FactKind] = FactKind.LIMIT
    wordings: ClassVar[Wordings] = {
        "map-limit": {
            "train": (
                "The map shows where the detector looked, not what was changed there.",
                "The map tells where the detector looked; it does not tell what was changed.",
            ),
            "heldout": ("The map does not tell what was changed, only where the detector looked.",),
        },
    }

    @property
    def text(self) -> str:
        return self.said("map-limit")[0]

    def values(self) -> dict[str, Any]:
        return {"limit": "map"}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["map"],)


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
        listed = ", ".join(REGIONS_ABROAD[language][name][0] for name in self.regions)
        return (_ABROAD[language]["not-seen"].format(regions=listed),)


def limit_facts(regions: Sequence[RegionFinding]) -> list[Fact]:
    """The limits of a case whose map was read for ``regions``."""
    hidden = tuple(r.region for r in regions if r.area == 0 and r.region != "background")
    facts: list[Fact] = [NotProofFact(id="L1")]
    if regions:
        facts.append(MapLimitFact(id="L2"))
    if hidden or not regions:
        facts.append(NotSeenFact(id=f"L{len(facts) + 1}", regions=hidden))
    return facts
