"""Files that are written beside an analysis: card, timeline, numbers, marked clip."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.errors import AssistantError, ConfigError

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.types import Analysis

__all__ = ["CardFile", "ClipFiles"]


class _SavedFile:
    """``path`` for one file, ``name-1.png``, ``name-2.png`` ... for several.

    Raises:
        click.UsageError: it has another suffix, which ``otherwise`` tells, or no folder.
    """

    def __init__(self, option: str, path: Path, suffix: str, *, otherwise: str) -> None:
        if path.suffix.lower() != suffix:
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


def _write(path: Path, made: Callable[[], bytes], *, keep: bool = True) -> None:
    """Write a file whole or not at all; without ``keep``, see only that it could be written."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(made())
        if keep:
            part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


class CardFile(_SavedFile):
    """``--card``: whether it can be written is known before the work begins.

    Raises:
        ConfigError: nothing can be written there (code ``card-not-written``).
    """

    def __init__(self, path: Path) -> None:
        told = "the card is a PNG, name it something.png."
        super().__init__("--card", path, ".png", otherwise=told)
        self._written(path, bytes, keep=False)

    def save(self, analysis: Analysis, number: int, count: int) -> Path:
        """Write the card of file ``number`` (from 0) of ``count``, whole or not at all.

        Raises:
            ConfigError: it cannot be written (any more).
        """
        from assistant.cards import render_card

        path = self.of(number, count)
        self._written(path, lambda: render_card(analysis), keep=True)
        return path.resolve()

    @staticmethod
    def _written(path: Path, made: Callable[[], bytes], *, keep: bool) -> None:
        try:
            _write(path, made, keep=keep)
        except OSError as error:
            raise ConfigError(
                f"The card cannot be written to {path}: {error.strerror}.",
                hint="Name another place with --card.",
                code="card-not-written",
            ) from error


class ClipFiles:
    """``--timeline``, ``--csv`` and ``--export-clip`` of a clip's people over time."""

    def __init__(self, page: Path | None, table: Path | None, marked: Path | None) -> None:
        kinds = (
            ("--timeline", page, ".html", "the timeline is a page, name it something.html."),
            ("--csv", table, ".csv", "name it something.csv."),
            ("--export-clip", marked, ".mp4", "the marked clip is MP4, name it something.mp4."),
        )
        self._files = {
            suffix: _SavedFile(option, path, suffix, otherwise=told)
            for option, path, suffix, told in kinds
            if path is not None
        }

    def __bool__(self) -> bool:
        return bool(self._files)

    def save(
        self,
        analysis: Analysis,
        read: Callable[[], bytes],
        assistant: Assistant,
        name: str,
        number: int,
        count: int,
    ) -> bool:
        """Write what was asked for of the file ``name``, which is ``number`` (from 0) of ``count``.

        Returns:
            Whether nothing failed. What was written, or why nothing was, is told on standard error.
        """
        if not self._files:
            return True
        if not any(face.timeline for face in analysis.faces):
            click.echo(f"{name}: nobody was seen in two frames, so there is no timeline.", err=True)
            return True
        good = True
        for suffix, file in self._files.items():
            path = file.of(number, count)
            try:
                _write(path, partial(_made, suffix, analysis, read, assistant, name))
                click.echo(f"Saved: {path}", err=True)
            except OSError as error:
                good = False
                click.echo(f"{path} cannot be written: {error.strerror}.", err=True)
            except AssistantError as error:
                good = False
                click.echo(f"{path}: {error.user_message} {error.hint}".rstrip(), err=True)
        return good


def _made(
    suffix: str, analysis: Analysis, read: Callable[[], bytes], assistant: Assistant, name: str
) -> bytes:
    if suffix == ".csv":
        from assistant.report import timeline_csv

        return timeline_csv(analysis).encode()
    if suffix == ".html":
        from assistant.ui.timeline import timeline_page

        return timeline_page(Path(name).name, analysis, read(), demo=assistant.demo).encode()
    from assistant.marked_clip import marked_clip

    media = assistant.limits.media
    return marked_clip(read(), analysis.faces, media, demo=assistant.demo)
