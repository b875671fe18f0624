"""The picture card on disk: whether it can be written is known before the work begins."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.cli.numbered_file import NumberedFile
from assistant.errors import ConfigError

if TYPE_CHECKING:
    from assistant.types import Analysis

__all__ = ["CardFile"]


class CardFile(NumberedFile):
    """Where cards go: ``path`` for one file, ``name-1.png``, ``name-2.png`` ... for several.

    Raises:
        click.UsageError: it is not named .png, or its folder does not exist.
        ConfigError: nothing can be written there (code ``card-not-written``).
    """

    def __init__(self, path: Path) -> None:
        told = "the card is a PNG, name it something.png."
        super().__init__("--card", path, {".png"}, otherwise=told)
        self._write(path, b"", keep=False)

    def save(self, analysis: Analysis, number: int, count: int) -> Path:
        """Write the card of file ``number`` (from 0) of ``count``, whole or not at all.

        Raises:
            ConfigError: it cannot be written (any more).
        """
        from assistant.cards import render_card

        path = self.of(number, count)
        self._write(path, render_card(analysis), keep=True)
        return path.resolve()

    @staticmethod
    def _write(path: Path, png: bytes, *, keep: bool) -> None:
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_bytes(png)
            if keep:
                part.replace(path)
            else:
                part.unlink()
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise ConfigError(
                f"The card cannot be written to {path}: {error.strerror}.",
                hint="Name another place with --card.",
                code="card-not-written",
            ) from error
