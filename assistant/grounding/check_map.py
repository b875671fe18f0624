"""Checks of what a clause says of the map and its regions."""

from __future__ import annotations

import re

from assistant.grounding.amounts import amounts, matches, matches_value
from assistant.grounding.case import Case
from assistant.grounding.clauses import Clause
from assistant.grounding.lexicon import NEGATION
from assistant.types import Fact

__all__ = ["is_share", "map_words", "named", "regions_in"]

_OUT = re.compile(
    r"\bst(?:ands?|anding|ood) out\b|\bpoint(?:s|ed|ing)?\b(?: \w+)? (?:to|at|towards?)\b|"
    r"\bdraw(?:s|n|ing)?\b|"
    r"\bhighlight\w*|\bfocus\w*|\battention\b|\blook(?:s|ed|ing)?(?: \w+)? at\b|\bheat\w*|"
    r"\bweigh\w*|"
    r"\bof the map\b|\bof it\b|\bon the map\b|\bin the map\b|\bthe map (?:is|lies|shows|"
    r"marks)\b|\bnoteworthy\b|"
    r"\bmark(?:s|ed)\b|\bwhat stands out\b"
)
_MOST = re.compile(
    r"\b(?:most|mainly|mostly|chiefly|main|strongest|largest|highest|greatest|first|top)\b"
)
_NONE = re.compile(
    r"\b(?:no|none of the)\b(?: single| one| particular| face)? ?(?P<other>other )?(?:regions?|"
    r"parts?|areas?)\b|"
    r"\bnothing\b|\bnone\b(?= draws| stands)|"
    r"\bthe (?P<rest>other|others|rest)(?: regions?| parts?)? (?:do|does) not\b"
)
_LOOKED = re.compile(
    r"\bthe map (?:shows|tells|only shows|only tells) (?:only )?where the detector looked\b|"
    r"\b(?:only )?where the detector looked\b"
)
_NOT_CHANGED = re.compile(
    r"\b(?:does |do |did )?not\b(?: \w+){0,2}? what (?:was|were|is|has been|"
    r"had been) (?:changed|altered|"
    r"manipulated|edited)(?: there)?\b"
)
_CHANGED = re.compile(
    r"\bwhat was changed\b|\b(?:was|were|is|are|been|being|has|have|looks?|seems?|"
    r"appears?)\b(?: \w+){0,2} (?:changed|"
    r"altered|edited|manipulated|fake|swapped|modified|forged|retouched|real|untouched)\b"
)
_OUTSIDE = re.compile(
    r"\blies outside the face\b|\bis not part of the face\b|\boutside the face\b|"
    r"\b(?:this|that|which|it) says (?:little|less) about the face(?: itself)?\b"
)


_MORE = re.compile(r"\bmore(?: of the map)? than in (?:other )?faces\b")


def regions_in(clause: Clause) -> list[str]:
    """The regions a clause names, each once, in order."""
    return list(dict.fromkeys(name for group in clause.regions for name in group))


def map_words(clause: Clause, case: Case) -> None:
    """Where the map points, how much of it lies where, and what it does not tell."""
    limit = case.limits.get("map")
    if clause.take(_NOT_CHANGED) or clause.take(_LOOKED):
        clause.take(_LOOKED)
        if limit is None:
            clause.unfounded("no fact tells what the map means")
        else:
            clause.ok(limit)
        clause.neutral = True
        return
    if clause.fresh and clause.kind not in {"effect", "change"} and _CHANGED.search(clause.text):
        clause.take(_CHANGED)
        reason = "the map does not tell what was changed"
        if limit is None:
            clause.unfounded(reason)
        else:
            clause.wrong(reason, limit)
        return
    none = _NONE.search(clause.text)
    if none and _OUT.search(clause.text) and not clause.fresh:
        _none(clause, case, other=bool(none["other"] or none["rest"]))
        return
    if clause.kind == "map" or (clause.fresh and clause.kind not in {"effect", "change"}):
        _regions(clause, case)


def _none(clause: Clause, case: Case, *, other: bool) -> None:
    clause.take(_OUT)
    clause.take(_NONE)
    if case.rest is None:
        facts = tuple(case.regions.values())
        if facts and not other:
            clause.wrong("a region stands out", facts[0])
        else:
            clause.unfounded("no fact says that no region stands out")
    elif bool(case.rest.values()["alone"]) == (not other):
        clause.ok(case.rest)
    elif other:
        clause.unfounded("no region stands out at all", case.rest)
    else:
        clause.wrong("a region stands out", *list(case.regions.values())[:1])


def _regions(clause: Clause, case: Case) -> None:
    names = regions_in(clause)
    if clause.take(_OUTSIDE):
        if names == ["background"] and "background" in case.regions:
            clause.ok(case.regions["background"])
        else:
            clause.unfounded("no fact says what lies outside the face")
        return
    if clause.take(_MORE) and not NEGATION.search(clause.text):
        facts = _facts(case, names)
        if facts:
            clause.ok(*facts)
        else:
            clause.unfounded(f"no fact measures this of {named(names)}")
    claim = _OUT.search(clause.text)
    numbers = [
        a for a in amounts(clause.text) if a.unit in {"%", "times"} or is_share(a.value, a.digits)
    ]
    if not claim and not numbers:
        if clause.fresh:
            clause.unfounded(f"no fact measures this of {named(names)}")
        return
    if not names:
        if numbers:
            clause.unfounded("a number without its region")
        return
    denied = bool(NEGATION.search(clause.text))
    for group in clause.regions:
        _standing(clause, case, group, denied=denied)
    if denied:
        return
    if _MOST.search(clause.text) and claim:
        firsts = [case.regions[n].values()["rank"] for n in names if n in case.regions]
        if firsts and 1 not in firsts:
            clause.wrong("another region stands out more", *_facts(case, names))
    _shares(clause, case, names)


def is_share(value: float, digits: int) -> bool:
    """Whether a plain number is written as a share, such as 0.83."""
    return digits > 0 and value <= 1


def named(names: list[str]) -> str:
    """Regions as a reason names them."""
    return " and ".join(f"the {n}" for n in names) or "a region"


def _facts(case: Case, names: list[str]) -> list[Fact]:
    return [case.regions[n] for n in names if n in case.regions]


def _standing(clause: Clause, case: Case, group: tuple[str, ...], *, denied: bool) -> None:
    out = [n for n in group if n in case.regions]
    probed = [
        case.effects[n]
        for n in group
        if n in case.effects and case.effects[n].values()["stands_out"]
    ]
    if not denied and not out and len(probed) == len(group):
        clause.ok(*probed)
        return
    calm = case.rest is not None and all(n in case.rest.values()["regions"] for n in group)
    if denied:
        if calm and case.rest is not None:
            clause.ok(case.rest)
        elif out:
            clause.wrong(f"{named(out)} does stand out", *_facts(case, out))
        else:
            clause.unfounded(f"no fact measures this of {named(list(group))}")
    elif len(out) == len(group):
        clause.ok(*_facts(case, out))
    elif case.rest is not None and any(n in case.rest.values()["regions"] for n in group):
        still = [n for n in group if n in case.rest.values()["regions"]]
        clause.wrong(f"{named(still)} does not stand out", case.rest)
    else:
        clause.unfounded(f"no fact measures this of {named(list(group))}")


def _shares(clause: Clause, case: Case, names: list[str]) -> None:
    found = amounts(clause.text)
    shares = [a for a in found if a.unit == "%" or (a.unit == "" and is_share(a.value, a.digits))]
    lifts = [a for a in found if a.unit == "times"]
    for numbers, key in ((shares, "share"), (lifts, "lift")):
        for i, amount in enumerate(numbers):
            # One region a number, in order; else the only or the last region.
            name = names[i] if len(numbers) == len(names) else names[-1]
            fact = case.regions.get(name)
            clause.blank(amount.start, amount.end)
            if fact is None:
                clause.unfounded(f"no fact gives a number for {named([name])}")
            elif (
                matches(amount, float(fact.values()["share"]))
                if key == "share"
                else matches_value(amount, float(fact.values()["lift"]))
            ):
                clause.ok(fact)
            else:
                clause.wrong(f"that is not the number measured for {named([name])}", fact)
