"""Numbers in a sentence, and whether they are those that were measured."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Amount", "amounts", "matches", "matches_value"]

_NUMBER = re.compile(
    r"(?P<q>(?:under|below|less than|fewer than|at most|up to|over|above|more than|at least|about|"
    r"around|roughly|nearly|almost|approximately|some|~|<|>)\s*)?"
    r"(?<![\w.])(?P<n>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"\s*(?P<u>%|percentage points?|percent\b|"
    r"per cent\b|points?\b|pp\b|times\b|x\b|\u00d7|-?\s?fold\b|"
    r"px\b|pixels?\b|°|degrees?\b|(?:in|out of|of)(?: every)? 100\b)?"
)
_LESS = {"under", "below", "less than", "fewer than", "at most", "up to", "<"}
_MORE = {"over", "above", "more than", "at least", ">"}
_NEAR = {"about", "around", "roughly", "nearly", "almost", "approximately", "some", "~"}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as written; ``unit``: ``%``, ``points``, ``times``, ``in100``, ``other`` or ""."""

    value: float
    digits: int
    unit: str
    qualifier: str
    start: int
    end: int


def amounts(text: str) -> list[Amount]:
    """All numbers of ``text``, in order."""
    found = []
    for m in _NUMBER.finditer(text):
        raw = m["n"].replace(",", "")
        unit = (m["u"] or "").replace("-", "").strip()
        if unit in {"%", "percent", "per cent"}:
            unit = "%"
        elif unit.startswith("p") and unit not in {"px", "pixel", "pixels"}:
            unit = "points"
        elif unit in {"times", "x", "\u00d7", "fold"}:
            unit = "times"
        elif unit.endswith("100"):
            unit = "in100"
        elif unit:
            unit = "other"
        digits = len(raw.partition(".")[2])
        qualifier = (m["q"] or "").strip()
        found.append(Amount(float(raw), digits, unit, qualifier, m.start("n"), m.end()))
    return found


def matches(amount: Amount, share: float) -> bool:
    """Whether an amount written as percent (or as a decimal in [0, 1]) says ``share``."""
    if amount.unit in {"%", "in100"}:
        return matches_value(amount, 100 * share)
    if amount.unit == "" and amount.value <= 1 and amount.digits:
        return matches_value(amount, share)
    return False


def matches_value(amount: Amount, actual: float) -> bool:
    """Whether an amount says ``actual``, rounded to the digits it is written with.

    "Under" and "over" must hold and be within 5 of it; "about" may miss by 2 percent points.
    """
    step = 0.5 * 10.0**-amount.digits + 1e-9
    if amount.qualifier in _LESS:
        return actual <= amount.value + 1e-9 and amount.value - actual <= 5
    if amount.qualifier in _MORE:
        return actual >= amount.value - 1e-9 and actual - amount.value <= 5
    if amount.qualifier in _NEAR and amount.unit == "%":
        return abs(amount.value - actual) <= 2.0 + step
    return abs(amount.value - actual) <= step
