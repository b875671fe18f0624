"""Checks of how a score moved, and of the verdict it would then have: for effects and changes."""

from __future__ import annotations

import re

from assistant.evidence.amounts import amounts, matches_value
from assistant.evidence.reading import FLIPS, SAME, fit, label_of, shares
from assistant.types import Clause, Verdict

__all__ = [
    "goes_on",
    "tells_exactly",
    "tells_of_move",
    "wrong_direction",
    "wrong_numbers",
    "wrong_verdict",
]

_DOWN = re.compile(
    r"\b(?:lower\w*|falls?|fell|drop\w*|decreas\w*|reduc\w*|down|sinks?|declin\w*)\b"
)
_UP = re.compile(r"\b(?:rais\w*|rises?|rose|increas\w*|up|grows?|grew|climb\w*|higher)\b")
_HARDLY = re.compile(
    r"\b(?:hardly|(?:stays|remains) at|barely|scarcely|almost unchanged|does not (?:move|affect)|"
    r"no (?:\w+ )?effect|little (?:\w+ )?effect|(?:does|did) not (?:\w+ )?change the score|"
    r"without effect|no difference|little|negligibl[ey]|minimal\w*)\b"
)
_OTHER = re.compile(r"\b(?:moves?|goes|verdict|random|matters?|effect|affects?|score|matter)\b")
_MATTERS = re.compile(r"\b(?:matters?|affects?|(?:has|have|had) (?:an|a \w+) effect)\b")
_BACK = re.compile(r"\b(?:instead of|down from|up from|compared (?:to|with)|rather than)\b")
_OF_WHAT = re.compile(r"\bof (?:manipulation|being (?:\w+ )?(?:manipulated|fake))\b")
_RANDOM = re.compile(r"\brandom\b.*\bthe same\b")


def tells_of_move(text: str) -> bool:
    """Whether a clause says anything of what happened to the score."""
    said = (_DOWN, _UP, _HARDLY, SAME, FLIPS, _OTHER)
    return bool(amounts(text)) or any(pattern.search(text) for pattern in said)


def tells_exactly(text: str) -> bool:
    """Whether a clause says something of a move that can be compared."""
    said = (_DOWN, _UP, _HARDLY, SAME, FLIPS, _MATTERS)
    return bool(amounts(text) or label_of(text)) or any(p.search(text) for p in said)


def goes_on(text: str) -> bool:
    """Whether a clause says that random patches can do the same."""
    return _RANDOM.search(text) is not None


def wrong_direction(text: str, effect: str, change: float) -> bool:
    """Whether a clause tells of another direction than ``effect`` (see ``EffectFact.effect``)."""
    if _MATTERS.search(text) and not _HARDLY.search(text):
        return effect not in {"lowers", "raises"}
    if _HARDLY.search(text):
        return effect != "hardly"
    if _DOWN.search(text):
        return not (effect == "lowers" or (effect == "like-random" and change < 0))
    if _UP.search(text):
        return not (effect == "raises" or (effect == "like-random" and change > 0))
    return False


def wrong_numbers(text: str, before: float, after: float, step: float) -> bool:
    """Whether a clause tells of other scores, or of another ``step`` in points."""
    found = shares(text)
    if _BACK.search(text):
        found = found[::-1]
    if not fit(found, (before, after)):
        return True
    points = [a for a in amounts(text) if a.unit == "points"]
    return not all(matches_value(a, round(abs(100 * step))) for a in points)


def wrong_verdict(clause: Clause, after: Verdict, *, changes: bool) -> str:
    """Why the verdict told for afterwards is wrong, or an empty string."""
    text = clause.text
    if SAME.search(text):
        return f"the verdict would be {after.words}" if changes else ""
    label = label_of(_OF_WHAT.sub(" ", FLIPS.sub(" ", text)))
    if label is not None and label is not after:
        return f"the verdict would be {after.words}"
    if FLIPS.search(text) and not changes:
        return "the verdict stays the same"
    return ""
