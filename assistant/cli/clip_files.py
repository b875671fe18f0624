"""What is written of a clip's people over time: a page, the numbers as CSV, the clip marked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.numbered_file import NumberedFile
from assistant.errors import AssistantError

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.types import Analysis

__all__ = ["ClipFiles"]


class ClipFiles:
    """``--timeline``, ``--csv`` and ``--export-clip``: one file each, numbered for several clips.

    Raises:
        click.UsageError: one has a wrong suffix, or its folder does not exist.
    """

    def __init__(self, page: Path | None, table: Path | None, marked: Path | None) -> None:
        kinds = (
            ("--timeline", page, ".html", "the timeline is a page, name it something.html."),
            ("--csv", table, ".csv", "name it something.csv."),
            ("--export-clip", marked, ".mp4", "the marked clip is MP4, name it something.mp4."),
        )
        self._files = {
            suffix: NumberedFile(option, path, {suffix}, otherwise=told)
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
        """Write what was asked for of file ``number`` (from 0) of ``count``.

        Args:
            analysis: of the file.
            read: gives the file's bytes.
            assistant: that analysed it.
            name: of the file, as it was given.
            number: of the file.
            count: of all files.

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
            part = path.with_name(f".{path.name}.part")
            try:
                part.write_bytes(_made(suffix, analysis, read, assistant, name))
                part.replace(path)
                click.echo(f"Saved: {path}", err=True)
            except OSError as error:
                good = False
                click.echo(f"{path} cannot be written: {error.strerror}.", err=True)
            except AssistantError as error:
                good = False
                click.echo(f"{path}: {error.user_message} {error.hint}".rstrip(), err=True)
            finally:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)
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
