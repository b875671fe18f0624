"""Checks of what a clause says was tried: a region neutralised, a file changed, more frames."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.grounding.amounts import Amount, amounts, matches, matches_value
from assistant.grounding.case import Case
from assistant.grounding.check_map import is_share, named, regions_in
from assistant.grounding.check_score import label_of
from assistant.grounding.clauses import Clause
from assistant.grounding.lexicon import FAKE, REAL, UNSURE
from assistant.types import Fact, Verdict

__all__ = ["change_words", "effect_words", "frame_words"]

_NEUTRAL = re.compile(
    r"\bneutrali[sz]\w*|\b(?:covered|covering|hidden|hiding|removed|removing|masked|taken away|"
    r"left out)\b|"
    r"\bwithout\b"
)
_DOWN = re.compile(r"\b(?:lower\w*|falls?|fell|drops?|decreas\w*|reduc\w*|down|sinks?)\b")
_UP = re.compile(r"\b(?:rais\w*|rises?|increas\w*|up|grows?)\b")
_HARDLY = re.compile(
    r"\b(?:hardly|(?:stays|remains) at|barely|scarcely|almost unchanged|does not move|no effect|"
    r"little effect|does not change the score|without effect|no difference|little)\b"
)
_SAME = re.compile(
    r"\b(?:verdict )?(?:stays?|remains?|keeps?|is|would (?:be|stay|remain)) (?:the same|"
    r"unchanged)\b|"
    r"\b(?:does|do|did|would) not change(?: the verdict)?\b|\bno change of the verdict\b"
)
_FLIPS = re.compile(
    r"\bverdict (?:changes|would change|also changes)\b|\bchange(?:s)? the verdict\b"
)


# That the score has more to it than one region: what "hardly moves" means.
_NOT_ALONE = re.compile(
    r"\b(?:so )?(?:it|the score) (?:does|did|would) not (?:rest|depend) on "
    r"(?:it|that|this|that region|this region) alone\b"
)
_ALONE = re.compile(r"\b(?:rests?|depends?) on\b")


def effect_words(clause: Clause, case: Case) -> None:
    """What neutralising a region did to the score and the verdict."""
    if clause.kind != "effect":
        return
    names = regions_in(clause)
    _rest_on(clause, case, names)
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
            f for f in case.sets if wanted in (set(f.values()["regions"]), set(f.values()["tried"]))
        ]
        if sets:
            _set_claim(clause, sets[0])
            return
    if not names or len(facts) < len(names):
        clause.unfounded(f"neutralising {named(names)} was not measured")
        _clear(clause)
        return
    for fact in facts:
        _effect_claim(clause, fact)
    _clear(clause)


def _rest_on(clause: Clause, case: Case, names: list[str]) -> None:
    """That the score does, or does not, rest on a region alone."""
    denied = clause.take(_NOT_ALONE)
    if not denied and not clause.take(_ALONE):
        return
    fact = case.effects.get(names[-1]) if names else None
    if fact is None:
        clause.unfounded(f"neutralising {named(names)} was not measured")
    elif not denied:
        clause.unfounded("no fact says that the score rests on one region", fact)
    elif fact.values()["effect"] == "hardly" and not fact.values()["changes_verdict"]:
        clause.ok(fact)
    else:
        clause.wrong("without that region the score moves", fact)


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
    text, values = clause.text, fact.values()
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
    shares = [a for a in amounts(text) if a.unit == "%" or is_share(a.value, a.digits)]
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
    text, values = clause.text, fact.values()
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
    text, found = clause.text, bool(fact.values()["regions"])
    after = Verdict(str(fact.values()["verdict_after"]))
    shares = [a for a in amounts(text) if a.unit == "%"]
    label = label_of(text)
    if _SAME.search(text):
        good = not found
    elif label is not None or _FLIPS.search(text):
        good = found and label in {None, after}
    else:
        good = found
    if shares and not (found and all(matches(a, float(fact.values()["after"])) for a in shares)):
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
        flips = {str(f).lower() for f in case.card.values()["flips"]}
        told = [case.card, *(facts if len(facts) == 1 else [])]
        if not set(clause.changes) <= flips:
            clause.wrong("the verdict does not change after that", case.card)
        elif any(_scores_fit(text, fact) for fact in told):
            clause.ok(case.card)
        else:
            clause.wrong("those are not the scores measured", case.card)
    elif clause.changes and facts:
        for fact in facts:
            _change_claim(clause, fact)
    elif case.card is not None and not clause.changes:
        _card_claim(clause, case.card)
    else:
        clause.unfounded("that change of the file was not tried")
    _clear(clause)


def _change_claim(clause: Clause, fact: Fact) -> None:
    shares = [a for a in amounts(clause.text) if a.unit == "%" or is_share(a.value, a.digits)]
    wanted = [float(fact.values()["before"]), float(fact.values()["probability"])]
    if len(shares) == 1:
        wanted = wanted[1:]
    if not _fit(shares, wanted):
        clause.wrong("that is not the score measured after it", fact)
    elif _verdict_after(clause, fact):
        clause.ok(fact)


def _scores_fit(text: str, fact: Fact) -> bool:
    """Whether the scores in a text, if any, are the two ends that a fact holds."""
    names = ("low", "high") if "low" in fact.values() else ("before", "probability")
    shares = [a for a in amounts(text) if a.unit == "%"]
    return _fit(shares, [float(fact.values()[name]) for name in names][-len(shares) :])


def _fit(shares: Sequence[Amount], wanted: Sequence[float]) -> bool:
    """Whether the amounts, if any, are the first of those wanted, in their order."""
    return len(shares) <= len(wanted) and all(
        matches(a, w) for a, w in zip(shares, wanted, strict=False)
    )


def _card_claim(clause: Clause, card: Fact) -> None:
    values, text = card.values(), clause.text
    for amount in amounts(text):
        if not amount.unit and not amount.digits and amount.value != values["count"]:
            clause.wrong(f"{values['count']} changes were tried", card)
            return
    shares = [a for a in amounts(text) if a.unit == "%"]
    wanted = [float(values["low"]), float(values["high"])]
    if not _fit(shares, wanted):
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
        values = case.frames.values()
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
