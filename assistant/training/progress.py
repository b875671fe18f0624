"""How a run tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "silent"]

#: Told what is being done, how much of it is done, how much there is, and a rate or a loss.
Progress = Callable[[str, int, int, float], None]


def silent(what: str, done: int, total: int, value: float) -> None:
    """Tell nobody."""
    del what, done, total, value
