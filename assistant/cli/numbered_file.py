"""A file that is written for each file that is analysed."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

__all__ = ["NumberedFile"]


class NumberedFile:
    """``path`` for one file, ``name-1.png``, ``name-2.png`` ... for several.

    Args:
        option: of the command line, for what is told.
        path: as it was given.
        suffixes: that it may have.
        otherwise: what is told where it has another.

    Raises:
        click.UsageError: it has another suffix, or its folder does not exist.
    """

    def __init__(
        self, option: str, path: Path, suffixes: Collection[str], *, otherwise: str
    ) -> None:
        if path.suffix.lower() not in suffixes:
            raise click.UsageError(f"{option} {path}: {otherwise}")
        if not path.parent.is_dir():
            raise click.UsageError(f"{option} {path}: the folder {path.parent} does not exist.")
        if path.is_dir():
            raise click.UsageError(f"{option} {path}: that is a folder; name a file in it.")
        self.path = path

    def of(self, number: int, count: int) -> Path:
        """The path of file ``number`` (from 0) of ``count``."""
        if count == 1:
            return self.path
        return self.path.with_name(f"{self.path.stem}-{number + 1}{self.path.suffix}")
