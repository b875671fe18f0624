"""Fact ids in brackets, as texts cite them."""

from __future__ import annotations

import re

__all__ = ["with_cites", "without_cites"]

_CITES = re.compile(r"\s*\[[A-Z]\d{1,3}(?:\s*[,;]\s*[A-Z]\d{1,3})*\]")
_SPACE_BEFORE_STOP = re.compile(r"\s+([.,;:!?])")


def without_cites(text: str) -> str:
    """Text without its bracketed fact ids, for places that show them otherwise or not at all."""
    return _SPACE_BEFORE_STOP.sub(r"\1", _CITES.sub("", text)).strip()


def with_cites(body: str, cites: tuple[str, ...]) -> str:
    """Put the ids before the full stop of ``body``, as in ``It is so [S2].`` and return it."""
    if not cites:
        return body
    marks = "".join(f"[{cite}]" for cite in cites)
    if body[-1:] in {".", "!", "?", ":"}:
        return f"{body[:-1].rstrip()} {marks}{body[-1]}"
    return f"{body} {marks}"
