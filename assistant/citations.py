"""Fact ids in brackets, as generated text cites them."""

from __future__ import annotations

import re

__all__ = ["without_cites"]

_CITES = re.compile(r"\s*\[[A-Z]\d{1,3}(?:\s*[,;]\s*[A-Z]\d{1,3})*\]")
_SPACE_BEFORE_STOP = re.compile(r"\s+([.,;:!?])")


def without_cites(text: str) -> str:
    """Text without its bracketed fact ids, for places that show them otherwise or not at all."""
    return _SPACE_BEFORE_STOP.sub(r"\1", _CITES.sub("", text)).strip()
