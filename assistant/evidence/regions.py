"""R: the regions of the map that stand out, and that the others do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.languages import REGIONS_ABROAD, percent_abroad
from assistant.evidence.names import the_region
from assistant.numbers import percent
from assistant.types import PERSON_SIDE, Fact, FactKind, RegionFinding, Wordings, ranked_regions

__all__ = ["FOR_ITS_SIZE", "OtherRegionsFact", "RegionFact", "region_facts"]

_MOST_REGIONS = 3
#: From here on (times) a region draws more than its size explains.
FOR_ITS_SIZE = 1.15

_REGION: Wordings = {
    "region-first": {
        "train": (
            "{Region} stands out in the map, with {share} of its weight.",
            "The map points to {region}: it draws {share} of the map, {lift} times what its size "
            "alone explains.",
            "{Region} stands out: it draws {share} of the map, {lift} times what its size alone "
            "explains.",
            "The map points to {region}, with {share} of its weight.",
        ),
        "heldout": (
            "What stands out is {region}, with {share} of the map.",
            "{Region} draws {share} of the map, {lift} times what its size alone explains.",
        ),
    },
    # Of a region by itself, whatever its rank.
    "region-alone": {
        "train": (
            "{Region} stands out in the map, with {share} of its weight.",
            "{Region} stands out: it draws {share} of the map.",
        ),
        "heldout": ("{Region} draws {share} of the map, and so stands out.",),
    },
    # Of a region that stands out beside untouched faces, but not for its size.
    "region-more": {
        "train": (
            "The map points to {region}: it draws {share} of the map, more than in untouched faces.",
            "{Region} stands out: it draws {share} of the map, more than in untouched faces.",
        ),
        "heldout": ("{Region} draws {share} of the map, more than in untouched faces.",),
    },
    "region-next": {
        "train": (
            "{Region} stands out too, with {share} of the map.",
            "{Region} also stands out: it draws {share} of the map.",
            "The map also points to {region}, with {share} of its weight.",
        ),
        "heldout": ("{Region} stands out as well, with {share} of the map.",),
    },
    "background": {
        "train": (
            "The background lies outside the face, so this says little about the face itself.",
            "The background is not part of the face, so this says little about the face itself.",
        ),
        "heldout": (
            "The background lies outside the face, which says little about the face itself.",
        ),
    },
}
_OTHERS: Wordings = {
    "regions-none": {
        "train": (
            "No region stands out in the map.",
            "No region stands out: none draws more of the map than in untouched faces.",
            "The map points to no region in particular.",
        ),
        "heldout": ("In the map, no region stands out.",),
    },
    "regions-other": {
        "train": ("No other region stands out.", "The other regions do not stand out."),
        "heldout": ("None of the other regions stands out.",),
    },
    "region-not": {
        "train": (
            "{Region} does not stand out in the map.",
            "The map does not point to {region}.",
        ),
        "heldout": ("{Region} does not stand out.",),
    },
}
_ABROAD = {
    "de": {
        "region": "{Region} sticht hervor: {share} der Karte liegen dort, {lift}-mal so viel, wie die "
        "Größe allein erklärt.",
        "background": "Der Hintergrund liegt außerhalb des Gesichts.",
        "none": "Keine Region sticht hervor: keine nimmt mehr von der Karte ein als bei unberührten "
        "Gesichtern.",
        "other": "Keine andere Region sticht hervor.",
    },
    "es": {
        "region": "Destaca {region}: allí está el {share} del mapa, {lift} veces lo que explica su "
        "tamaño.",
        "background": "El fondo queda fuera de la cara.",
        "none": "No destaca ninguna región: ninguna ocupa más del mapa que en caras sin tocar.",
        "other": "No destaca ninguna otra región.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFact(Fact):
    """A region that stands out: its share of the map, and how many times its area explains.

    ``rank``: 1 for the region that is told first.
    """

    kind: ClassVar[FactKind] = FactKind.REGION
    wordings: ClassVar[Wordings] = _REGION

    region: str
    share: float
    area: float
    lift: float
    rank: int

    @property
    def text(self) -> str:
        name = the_region(self.region)
        # Where a region does not stand out for its size, it does beside untouched faces.
        times = f"{self.lift:.1f} times what its size alone explains"
        text = (
            f"{name[0].upper()}{name[1:]} stands out: it draws {percent(self.share)} of the map, "
            f"{times if self.lift >= FOR_ITS_SIZE else 'more than in untouched faces'}."
        )
        if self.region == "background":
            text += " The background lies outside the face."
        return text

    def values(self) -> dict[str, Any]:
        return {
            "region": self.region,
            "share": self.share,
            "area": self.area,
            "lift": self.lift,
            "stands_out": True,
            "rank": self.rank,
            "person_side": PERSON_SIDE.get(self.region, ""),
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        name = REGIONS_ABROAD[language][self.region][0]
        told = _ABROAD[language]["region"].format(
            region=name,
            Region=name[0].upper() + name[1:],
            share=percent_abroad(self.share, language),
            lift=f"{self.lift:.1f}".replace(".", ","),
        )
        return (told, _ABROAD[language]["background"]) if self.region == "background" else (told,)

    def topics(self) -> tuple[str, ...]:
        return tuple(
            topic for topic in _REGION if topic != "background" or self.region == "background"
        )

    def fields(self) -> dict[str, str]:
        name = f"the {self.region}"
        return {
            "region": name,
            "Region": name.capitalize(),
            "share": percent(self.share),
            "lift": f"{self.lift:.1f}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRegionsFact(Fact):
    """The regions measured that do not stand out; ``alone``: none does."""

    kind: ClassVar[FactKind] = FactKind.REGION
    wordings: ClassVar[Wordings] = _OTHERS

    regions: tuple[str, ...]
    alone: bool

    @property
    def text(self) -> str:
        if self.alone:
            return "No region stands out: none draws more of the map than in untouched faces."
        return "No other region stands out."

    def values(self) -> dict[str, Any]:
        return {"stands_out": False, "regions": self.regions, "alone": self.alone}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language]["none" if self.alone else "other"],)

    def topics(self) -> tuple[str, ...]:
        return ("regions-none" if self.alone else "regions-other",)

    def all_said(self) -> tuple[str, ...]:
        said = list(Fact.all_said(self))
        for region in self.regions:
            named = {"region": f"the {region}", "Region": f"The {region}"}
            said += [s for v in _OTHERS["region-not"] for s in self.said("region-not", v, **named)]
        return tuple(said)


def region_facts(regions: Sequence[RegionFinding]) -> list[Fact]:
    """Facts of the map's regions: at most three that stand out, then the rest; none without a map."""
    if not regions:
        return []
    out = [r for r in ranked_regions(regions) if r.stands_out][:_MOST_REGIONS]
    facts: list[Fact] = [
        RegionFact(
            id=f"R{rank}", region=r.region, share=r.share, area=r.area, lift=r.lift, rank=rank
        )
        for rank, r in enumerate(out, 1)
    ]
    others = tuple(r.region for r in regions if not r.stands_out)
    if others or not out:
        facts.append(OtherRegionsFact(id=f"R{len(facts) + 1}", regions=others, alone=not out))
    return facts
