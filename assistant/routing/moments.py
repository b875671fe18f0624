"""The times and the other people of a clip that a question names."""

from __future__ import annotations

import re

__all__ = ["named_person", "named_times"]

_CLOCK = r"(?:\d{1,3}:[0-5]\d(?:\.\d+)?|\d{1,4}(?:\.\d+)?(?=\s*(?:s\b|sec|sek|seg)))"
_RANGE = re.compile(
    rf"(?P<a>{_CLOCK}|\d{{1,4}}(?:\.\d+)?)\s*(?:s\b|sec\w*|sek\w*|seg\w*)?\s*"
    rf"(?:to|until|till|and|bis|und|a|y|-|\u2013)\s*(?P<b>{_CLOCK})"
)
_POINT = re.compile(_CLOCK)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_PERSON = re.compile(
    rf"\b(?P<word>{'|'.join(_ORDINALS)})\s+(?:person|face|man|woman|one)\b|"
    r"\b(?:person|face)\s+(?P<number>[1-8])\b|"
    r"\b(?P<other>other|others|else)\b.{0,20}\b(?:person|people|face|faces|man|woman)\b"
)


def named_times(question: str) -> tuple[float, float] | float | None:
    """The part (begin, end) or the moment that a question names, in seconds; None: neither.

    Times are read as ``0:07``, ``1:02.5`` or ``7 seconds``.
    """
    text = question.lower()
    if match := _RANGE.search(text):
        begin, end = _seconds(match["a"]), _seconds(match["b"])
        return (begin, end) if begin < end else (end, begin)
    if match := _POINT.search(text):
        return _seconds(match.group())
    return None


def named_person(question: str) -> int | None:
    """Which person of a clip a question names, from 1; 0: any other; None: nobody."""
    match = _PERSON.search(question.lower())
    if match is None:
        return None
    if match["word"]:
        return _ORDINALS.index(match["word"]) + 1
    return int(match["number"]) if match["number"] else 0


def _seconds(text: str) -> float:
    minutes, colon, rest = text.partition(":")
    return 60.0 * int(minutes) + float(rest) if colon else float(text)
