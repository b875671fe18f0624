"""R: where the map is strongest and next strongest, what stands out, and that the others do not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.amounts import amounts, matches, matches_value
from assistant.evidence.languages import percent_abroad, region_abroad, sentences
from assistant.evidence.names import the_region
from assistant.evidence.reading import named, negated, shares
from assistant.numbers import percent
from assistant.types import (
    FOR_ITS_SIZE,
    PERSON_SIDE,
    Clause,
    Evidence,
    Fact,
    FactKind,
    RegionFinding,
    Wordings,
    next_of,
    peak_of,
    ranked_regions,
)

__all__ = ["NextFact", "OtherRegionsFact", "RegionFact", "StrongestFact", "region_facts"]

_ENGLISH, _ABROAD = sentences("regions")

_MOST_REGIONS = 3

_CUE = re.compile(
    r"\b(?:heat)?map\b|\bst(?:ands?|anding|ood) out\b|\bdraw(?:s|n|ing)?\b|"
    r"\bpoints? (?:\w+ )?to\b|\bhighlight|\bfocus|\battention\b|\bheat"
)

_OUT = re.compile(
    r"\bst(?:ands?|anding|ood) out\b|\bpoint(?:s|ed|ing)?\b(?: \w+)? (?:to|at|towards?)\b|"
    r"\bdraw(?:s|n|ing)?\b|\bhighlight\w*|\bfocus\w*|\battention\b|"
    r"\blook(?:s|ed|ing)?(?: \w+)? at\b|\bheat\w*|\bweigh\w*|\bconcentrat\w*|\bnoteworthy\b|"
    r"\b(?:of|on|in) the map\b|\bof it\b|\bthe map (?:is|lies|shows|marks)\b|\bmark(?:s|ed)\b"
)
_MOST = re.compile(
    r"\b(?:most|mainly|mostly|chiefly|main|strongest|largest|highest|greatest|first|top)\b"
)
#: More than that the map points there: above what untouched faces show.
_STANDS = re.compile(
    r"\bst(?:ands?|anding|ood) out\b|\bnoteworthy\b|\bthan in (?:untouched )?faces\b|\bunusual"
)
_ONLY = re.compile(r"\b(?:only|sole|solely|alone|exclusively|single)\b")
_THAN = re.compile(r"\b(?:more|stronger|higher|larger) than\b(?! in )")
_NONE = re.compile(
    r"\b(?:no|none of the)\b(?: single| one| particular| face| facial| specific)? ?(?P<other>other )?"
    r"(?:regions?|parts?|areas?)\b|\bnothing\b|\bnone\b(?= draws| stands)|"
    r"\bthe (?P<rest>other|others|rest)(?: regions?| parts?)? (?:do|does) not\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFact(Fact):
    """A region that stands out: its share of the map, and how many times its area explains.

    ``rank``: 1 for the region that is told first.
    """

    kind: ClassVar[FactKind] = FactKind.REGION
    wordings: ClassVar[Wordings] = _ENGLISH["region"]
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = ("map", _CUE)

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
        name = region_abroad(self.region, language)
        told = _ABROAD[language]["region"].format(
            region=name,
            Region=name[0].upper() + name[1:],
            share=percent_abroad(self.share, language),
            lift=f"{self.lift:.1f}".replace(".", ","),
        )
        return (told, _ABROAD[language]["background"]) if self.region == "background" else (told,)

    def topics(self) -> tuple[str, ...]:
        return tuple(
            topic for topic in self.wordings if topic != "background" or self.region == "background"
        )

    def fields(self) -> dict[str, str]:
        name = f"the {self.region}"
        return {
            "region": name,
            "Region": name.capitalize(),
            "share": percent(self.share),
            "lift": f"{self.lift:.1f}",
        }

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """Where the map points, and how much of it lies where."""
        rest = evidence.first(OtherRegionsFact)
        none = _NONE.search(clause.text)
        if none and _OUT.search(clause.text) and not clause.fresh:
            clause.take(_OUT, _NONE)
            first = evidence.first(cls)
            other = bool(none["other"] or none["rest"])
            if rest is not None and rest.alone is not other:
                clause.ok(rest)
            elif first is not None and not other:
                clause.wrong("a region stands out", first)
            else:
                clause.unfounded("no fact says that no region stands out")
        elif clause.scope == "map" or (clause.fresh and clause.scope not in {"effect", "change"}):
            _judge_regions(clause, evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrongestFact(Fact):
    """The region at which the map is strongest for its size, where it does not stand out.

    The map glows there, so it is named, with what untouched faces show.
    """

    kind: ClassVar[FactKind] = FactKind.REGION
    wordings: ClassVar[Wordings] = _ENGLISH["strongest"]
    place: ClassVar[str] = "peak"

    region: str
    share: float
    area: float
    lift: float

    @property
    def text(self) -> str:
        named = the_region(self.region)
        return self.said(self.place, region=named)[0]

    def values(self) -> dict[str, Any]:
        return {
            "region": self.region,
            "share": self.share,
            "area": self.area,
            "lift": self.lift,
            "stands_out": False,
            "strongest": self.place == "peak",
            "person_side": PERSON_SIDE.get(self.region, ""),
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        return (
            _ABROAD[language][self.place].format(
                region=region_abroad(self.region, language),
                share=percent_abroad(self.share, language),
            ),
        )

    def fields(self) -> dict[str, str]:
        name = f"the {self.region}"
        return {"region": name, "Region": name.capitalize(), "share": percent(self.share)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NextFact(StrongestFact):
    """The region of the face that comes next in the map, where it does not stand out."""

    wordings: ClassVar[Wordings] = _ENGLISH["next"]
    place: ClassVar[str] = "next"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRegionsFact(Fact):
    """The regions measured that do not stand out; ``alone``: none does.

    Those that have facts of their own (:class:`StrongestFact`, :class:`NextFact`) are not among
    ``regions``.
    """

    kind: ClassVar[FactKind] = FactKind.REGION
    wordings: ClassVar[Wordings] = _ENGLISH["other-regions"]

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
            said += self.said("region-not", **named)
        return tuple(said)


def region_facts(regions: Sequence[RegionFinding]) -> list[Fact]:
    """Facts of the map's regions: its peak, at most three that stand out, the next, then the rest.

    The next is told where fewer than two regions of the face are told before. None without a map.
    """
    if not regions:
        return []
    peak = peak_of(regions)
    facts: list[Fact] = []
    if peak is not None and not peak.stands_out:
        facts.append(StrongestFact(id="R1", **_measured(peak)))
    out = [r for r in ranked_regions(regions) if r.stands_out][:_MOST_REGIONS]
    facts += [
        RegionFact(id=f"R{number}", rank=number - len(facts), **_measured(r))
        for number, r in enumerate(out, len(facts) + 1)
    ]
    after = next_of(regions)
    if after is not None:
        facts.append(NextFact(id=f"R{len(facts) + 1}", **_measured(after)))
    others = tuple(r.region for r in regions if not r.stands_out and r not in (peak, after))
    if others or not out:
        facts.append(OtherRegionsFact(id=f"R{len(facts) + 1}", regions=others, alone=not out))
    return facts


def _measured(found: RegionFinding) -> dict[str, Any]:
    return {n: getattr(found, n) for n in ("region", "share", "area", "lift")}


def _judge_regions(clause: Clause, evidence: Evidence) -> None:
    """Check a clause on regions that it names, or that the clause before named."""
    names = clause.names
    known: dict[str, RegionFact | StrongestFact] = {f.region: f for f in evidence.of(RegionFact)}
    pointed = {f.region: f for f in evidence.of(StrongestFact)}
    peak = next((f for f in pointed.values() if not isinstance(f, NextFact)), None)
    claimed = _OUT.search(clause.text)
    numbers = [*shares(clause.text), *(a for a in amounts(clause.text) if a.unit == "times")]
    if not claimed and not numbers:
        if clause.fresh:
            clause.unfounded(f"no fact measures this of {named(names)}")
        return
    if not names:
        if numbers:
            clause.unfounded("a number without its region")
        return
    denied = negated(clause)
    for group in clause.regions:
        if len(group) == 1 and group[0] in pointed:
            _at_the_peak(clause, pointed[group[0]], denied=denied)
        else:
            _standing(clause, evidence, known, group, denied=denied)
    known |= pointed
    if claimed and not denied and _MOST.search(clause.text):
        after = [f for f in pointed.values() if f is not peak and f.region in names]
        if peak is not None and peak.region not in names:
            clause.wrong("the map is stronger elsewhere", peak)
        elif after and peak is None:
            clause.wrong("another region stands out more", *after)
    if denied:
        return
    told = [fact for name in names if isinstance(fact := known.get(name), RegionFact)]
    rest = [fact for name, fact in known.items() if name not in names]
    if claimed and rest and _ONLY.search(clause.text):
        clause.wrong(f"{named([fact.region for fact in rest])} stands out too", *rest)
    if len(told) > 1 and _THAN.search(clause.text):
        good = told[0].rank < told[1].rank and told[0].share > told[1].share
        clause.judge(good, "the other stands out more", *told)
    if claimed and _MOST.search(clause.text) and told and all(fact.rank != 1 for fact in told):
        clause.wrong("another region stands out more", *told)
    _numbers(clause, known, names)


def _at_the_peak(clause: Clause, peak: StrongestFact, *, denied: bool) -> None:
    """Check what is said of a region that the map points to and that does not stand out."""
    stands = _STANDS.search(clause.text)
    if denied:
        clause.judge(bool(stands), f"the map points to {named([peak.region])}", peak)
    else:
        clause.judge(not stands, f"{named([peak.region])} does not stand out", peak)


def _standing(
    clause: Clause,
    evidence: Evidence,
    known: Mapping[str, RegionFact | StrongestFact],
    group: tuple[str, ...],
    *,
    denied: bool,
) -> None:
    """Check that regions stand out, or do not."""
    rest = evidence.first(OtherRegionsFact)
    out = [known[name] for name in group if name in known]
    calm = [name for name in group if rest is not None and name in rest.regions]
    if denied and rest is not None and len(calm) == len(group):
        clause.ok(rest)
    elif denied and out:
        clause.wrong(f"{named([fact.region for fact in out])} does stand out", *out)
    elif not denied and len(out) == len(group):
        clause.ok(*out)
    elif not denied and calm and rest is not None:
        clause.wrong(f"{named(calm)} does not stand out", rest)
    else:
        clause.unfounded(f"no fact measures this of {named(group)}")


def _numbers(
    clause: Clause, known: Mapping[str, RegionFact | StrongestFact], names: Sequence[str]
) -> None:
    """Check shares of the map and times of a region's size."""
    lifts = [a for a in amounts(clause.text) if a.unit == "times"]
    for numbers in (shares(clause.text), lifts):
        for i, amount in enumerate(numbers):
            # One region a number, in order; else the only or the last region.
            name = names[i] if len(numbers) == len(names) else names[-1]
            fact = known.get(name)
            clause.blank(amount.start, amount.end)
            if fact is None:
                clause.unfounded(f"no fact gives a number for the {name}")
                continue
            is_lift = amount.unit == "times"
            good = matches_value(amount, fact.lift) if is_lift else matches(amount, fact.share)
            clause.judge(good, f"that is not the number measured for the {name}", fact)
