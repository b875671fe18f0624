"""Checks of what a clause says of regions: the map, and what neutralising did."""

from __future__ import annotations

import re

from assistant.grounding.amounts import amounts, matches, matches_value
from assistant.grounding.case import Case
from assistant.grounding.check_score import label_of
from assistant.grounding.clauses import Clause
from assistant.grounding.lexicon import FAKE, NEGATION, REAL, UNSURE
from assistant.types import Fact, Verdict

__all__ = ["change_words", "effect_words", "frame_words", "map_words"]

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
_NEUTRAL = re.compile(
    r"\bneutrali[sz]\w*|\b(?:covered|covering|hidden|hiding|removed|removing|masked|taken away|"
    r"left out)\b|"
    r"\bwithout\b"
)
_DOWN = re.compile(r"\b(?:lower\w*|falls?|fell|drops?|decreas\w*|reduc\w*|down|sinks?)\b")
_UP = re.compile(r"\b(?:rais\w*|rises?|increas\w*|up|grows?)\b")
_HARDLY = re.compile(
    r"\b(?:hardly|barely|scarcely|almost unchanged|does not move|no effect|little effect|"
    r"does not change "
    r"the score|without effect|no difference|little)\b"
)
_SAME = re.compile(
    r"\b(?:verdict )?(?:stays?|remains?|keeps?|is|would (?:be|stay|remain)) (?:the same|"
    r"unchanged)\b|"
    r"\b(?:does|do|did|would) not change(?: the verdict)?\b|\bno change of the verdict\b"
)
_FLIPS = re.compile(
    r"\bverdict (?:changes|would change|also changes)\b|\bchange(?:s)? the verdict\b"
)


def _each(clause: Clause) -> list[str]:
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
    elif bool(case.rest.values["alone"]) == (not other):
        clause.ok(case.rest)
    elif other:
        clause.unfounded("no region stands out at all", case.rest)
    else:
        clause.wrong("a region stands out", *list(case.regions.values())[:1])


def _regions(clause: Clause, case: Case) -> None:
    names = _each(clause)
    if clause.take(_OUTSIDE):
        if names == ["background"] and "background" in case.regions:
            clause.ok(case.regions["background"])
        else:
            clause.unfounded("no fact says what lies outside the face")
        return
    claim = _OUT.search(clause.text)
    numbers = [
        a for a in amounts(clause.text) if a.unit in {"%", "times"} or _decimal(a.value, a.digits)
    ]
    if not claim and not numbers:
        if clause.fresh:
            clause.unfounded(f"no fact measures this of {_said(names)}")
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
        firsts = [case.regions[n].values["rank"] for n in names if n in case.regions]
        if firsts and 1 not in firsts:
            clause.wrong("another region stands out more", *_facts(case, names))
    _shares(clause, case, names)


def _decimal(value: float, digits: int) -> bool:
    return digits > 0 and value <= 1


def _said(names: list[str]) -> str:
    return " and ".join(f"the {n}" for n in names) or "a region"


def _facts(case: Case, names: list[str]) -> list[Fact]:
    return [case.regions[n] for n in names if n in case.regions]


def _standing(clause: Clause, case: Case, group: tuple[str, ...], *, denied: bool) -> None:
    out = [n for n in group if n in case.regions]
    probed = [
        case.effects[n] for n in group if n in case.effects and case.effects[n].values["stands_out"]
    ]
    if not denied and not out and len(probed) == len(group):
        clause.ok(*probed)
        return
    calm = case.rest is not None and all(n in case.rest.values["regions"] for n in group)
    if denied:
        if calm and case.rest is not None:
            clause.ok(case.rest)
        elif out:
            clause.wrong(f"{_said(out)} does stand out", *_facts(case, out))
        else:
            clause.unfounded(f"no fact measures this of {_said(list(group))}")
    elif len(out) == len(group):
        clause.ok(*_facts(case, out))
    elif case.rest is not None and any(n in case.rest.values["regions"] for n in group):
        still = [n for n in group if n in case.rest.values["regions"]]
        clause.wrong(f"{_said(still)} does not stand out", case.rest)
    else:
        clause.unfounded(f"no fact measures this of {_said(list(group))}")


def _shares(clause: Clause, case: Case, names: list[str]) -> None:
    found = amounts(clause.text)
    shares = [a for a in found if a.unit == "%" or (a.unit == "" and _decimal(a.value, a.digits))]
    lifts = [a for a in found if a.unit == "times"]
    for numbers, key in ((shares, "share"), (lifts, "lift")):
        for i, amount in enumerate(numbers):
            # One region a number, in order; else the only or the last region.
            name = names[i] if len(numbers) == len(names) else names[-1]
            fact = case.regions.get(name)
            clause.blank(amount.start, amount.end)
            if fact is None:
                clause.unfounded(f"no fact gives a number for {_said([name])}")
            elif (
                matches(amount, float(fact.values["share"]))
                if key == "share"
                else matches_value(amount, float(fact.values["lift"]))
            ):
                clause.ok(fact)
            else:
                clause.wrong(f"that is not the number measured for {_said([name])}", fact)


def effect_words(clause: Clause, case: Case) -> None:
    """What neutralising a region did to the score and the verdict."""
    if clause.kind != "effect":
        return
    names = _each(clause)
    said = _NEUTRAL.search(clause.text)
    clause.take(_NEUTRAL)
    tells = _tells(clause)
    if not tells:
        clause.neutral = clause.neutral or bool(said)
        return
    facts = [case.effects[n] for n in names if n in case.effects]
    if len(names) > 1 or not facts:
        wanted = set(names)
        sets = [
            f for f in case.sets if wanted in (set(f.values["regions"]), set(f.values["tried"]))
        ]
        if sets:
            _set_claim(clause, sets[0])
            return
    if not names or len(facts) < len(names):
        clause.unfounded(f"neutralising {_said(names)} was not measured")
        _clear(clause)
        return
    for fact in facts:
        _effect_claim(clause, fact)
    _clear(clause)


def _tells(clause: Clause) -> bool:
    text = clause.text
    return bool(
        amounts(text)
        or _DOWN.search(text)
        or _UP.search(text)
        or _HARDLY.search(text)
        or _SAME.search(text)
        or _FLIPS.search(text)
        or re.search(r"\b(?:moves?|goes|verdict|random|matters?|effect)\b", text)
    )


def _clear(clause: Clause) -> None:
    for amount in amounts(clause.text):
        clause.blank(amount.start, amount.end)
    for pattern in (_SAME, _FLIPS, FAKE, REAL, UNSURE):
        clause.take(pattern)


def _effect_claim(clause: Clause, fact: Fact) -> None:
    text, values = clause.text, fact.values
    effect = str(values["effect"])
    random = "random" in text or "random" in clause.whole
    good = True
    if _HARDLY.search(text):
        good = effect == "hardly"
    elif _DOWN.search(text):
        good = effect == "lowers" or (
            effect == "like-random" and values["after"] < values["before"]
        )
    elif _UP.search(text):
        good = effect == "raises" or (
            effect == "like-random" and values["after"] > values["before"]
        )
    if not good:
        clause.wrong("the score moved in another way", fact)
        return
    if effect == "like-random" and not random and not re.search(r"\bverdict\b", text):
        clause.unfounded("random patches of that size can do the same", fact)
        return
    if "random" in text and "the same" in text:
        if effect == "like-random":
            clause.ok(fact)
        else:
            clause.wrong("random patches did not do the same", fact)
        return
    shares = [a for a in amounts(text) if a.unit == "%" or _decimal(a.value, a.digits)]
    steps = [a for a in amounts(text) if a.unit == "points"]
    wanted = [float(values["before"]), float(values["after"])]
    if len(shares) == 1:
        wanted = wanted[1:]
    if len(shares) > 2 or not all(
        matches(a, w) for a, w in zip(shares, wanted[: len(shares)], strict=False)
    ):
        clause.wrong("those are not the scores measured", fact)
        return
    moved = values["control"] if random else wanted[-1] - float(values["before"])
    for step in steps:
        if not matches_value(step, round(abs(100 * float(moved)))):
            clause.wrong("the score moved by another amount", fact)
            return
    if not _verdict_after(clause, fact):
        return
    clause.ok(fact)


def _verdict_after(clause: Clause, fact: Fact) -> bool:
    """Check a verdict told for afterwards; False where it was found wrong."""
    text, values = clause.text, fact.values
    after = Verdict(str(values["verdict_after"]))
    changes = bool(values.get("changes_verdict", True))
    if _SAME.search(text):
        if changes:
            clause.wrong(f"the verdict would be {after.words}", fact)
            return False
        return True
    label = label_of(_FLIPS.sub(" ", text)) if "verdict" in text else None
    if label is not None and label is not after:
        clause.wrong(f"the verdict would be {after.words}", fact)
        return False
    if label is None and _FLIPS.search(text) and not changes:
        clause.wrong("the verdict stays the same", fact)
        return False
    return True


def _set_claim(clause: Clause, fact: Fact) -> None:
    text, found = clause.text, bool(fact.values["regions"])
    after = Verdict(str(fact.values["verdict_after"]))
    shares = [a for a in amounts(text) if a.unit == "%"]
    label = label_of(text)
    if _SAME.search(text):
        good = not found
    elif label is not None or _FLIPS.search(text):
        good = found and label in {None, after}
    else:
        good = found
    if shares and not (found and all(matches(a, float(fact.values["after"])) for a in shares)):
        good = False
    _clear(clause)
    if good:
        clause.ok(fact)
    else:
        clause.wrong("neutralising these regions did something else", fact)


def change_words(clause: Clause, case: Case) -> None:
    """How the score stood up to everyday changes of the file."""
    if clause.kind != "change":
        return
    facts = [case.changes[c] for c in clause.changes if c in case.changes]
    text = clause.text
    claims = amounts(text) or _SAME.search(text) or _FLIPS.search(text) or label_of(text)
    if not claims:
        clause.neutral = True
        return
    if _FLIPS.search(text) and case.card is not None and clause.changes and not label_of(text):
        flips = {str(f).lower() for f in case.card.values["flips"]}
        if set(clause.changes) <= flips:
            clause.ok(case.card)
        else:
            clause.wrong("the verdict does not change after that", case.card)
    elif clause.changes and facts:
        for fact in facts:
            _change_claim(clause, fact)
    elif case.card is not None and not clause.changes:
        _card_claim(clause, case.card)
    else:
        clause.unfounded("that change of the file was not tried")
    _clear(clause)


def _change_claim(clause: Clause, fact: Fact) -> None:
    shares = [a for a in amounts(clause.text) if a.unit == "%" or _decimal(a.value, a.digits)]
    wanted = [float(fact.values["before"]), float(fact.values["probability"])]
    if len(shares) == 1:
        wanted = wanted[1:]
    if len(shares) > 2 or not all(
        matches(a, w) for a, w in zip(shares, wanted[: len(shares)], strict=False)
    ):
        clause.wrong("that is not the score measured after it", fact)
    elif _verdict_after(clause, fact):
        clause.ok(fact)


def _card_claim(clause: Clause, card: Fact) -> None:
    values, text = card.values, clause.text
    for amount in amounts(text):
        if not amount.unit and not amount.digits and amount.value != values["count"]:
            clause.wrong(f"{values['count']} changes were tried", card)
            return
    shares = [a for a in amounts(text) if a.unit == "%"]
    wanted = [float(values["low"]), float(values["high"])]
    if shares and not (
        len(shares) <= 2 and all(matches(a, w) for a, w in zip(shares, wanted, strict=False))
    ):
        clause.wrong("that is not the spread measured", card)
        return
    if _SAME.search(text) and values["flips"]:
        clause.wrong("the verdict changes after some of them", card)
        return
    if _FLIPS.search(text) and not values["flips"]:
        clause.wrong("the verdict stays the same", card)
        return
    clause.ok(card)


def frame_words(clause: Clause, case: Case) -> None:
    """Over how many frames the score was taken, and their spread."""
    if clause.kind != "frames":
        return
    found = amounts(clause.text)
    if not found:
        clause.neutral = True
        return
    if case.frames is None:
        clause.unfounded("no fact speaks of frames")
    else:
        values = case.frames.values
        shares = [a for a in found if a.unit == "%"]
        counts = [a for a in found if a.unit == "" and not a.digits]
        wanted = [float(values["low"]), float(values["high"])]
        good = all(a.value == values["frames"] for a in counts)
        if shares:
            good = good and len(shares) == 2 and all(map(matches, shares, wanted))
        if good:
            clause.ok(case.frames)
        else:
            clause.wrong("those are not the frames measured", case.frames)
    _clear(clause)
