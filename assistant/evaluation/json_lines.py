"""Rows of a run in a file of JSON lines: a run that was stopped goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from assistant.errors import TrainingError

__all__ = ["JsonLines"]

_Row = TypeVar("_Row")


class JsonLines(Generic[_Row]):
    """The rows that were made, also in earlier runs, each written down at once.

    Args:
        path: the file, made where it is missing; None: nothing is kept.
        read: makes a row of a line's value.
        write: makes a line's value of a row.
        made_by: the command that writes such files.

    Raises:
        TrainingError: the file holds something else (``rows``).
    """

    def __init__(
        self,
        path: Path | None,
        read: Callable[[Any], _Row],
        write: Callable[[_Row], Any],
        *,
        made_by: str,
    ) -> None:
        self._path, self._write = path, write
        self.rows: list[_Row] = []
        lines = path.read_bytes().splitlines() if path and path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                self.rows.append(read(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise TrainingError(
                    f"{path}: line {number} is no row of `{made_by}`.",
                    hint="Name a file that this command wrote, or a new one.",
                    code="rows",
                ) from error

    def add(self, *rows: _Row) -> None:
        """Keep rows, in the file too."""
        self.rows += rows
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(self._write(row)) + "\n" for row in rows)
