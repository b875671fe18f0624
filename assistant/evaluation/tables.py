"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["shown", "table"]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of as many columns as ``head`` names."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def shown(value: float | int | None, form: str = ".3f") -> str:
    """A number in a cell; a dash where there is none, and counts as they are."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:{form}}"
