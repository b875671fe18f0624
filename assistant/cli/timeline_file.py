"""A clip's people over time on disk, as a page of its own or as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assistant.types import Analysis

__all__ = ["TimelineFile"]


class TimelineFile:
    """Where timelines go: ``path`` for one file, ``name-1.html``, ``name-2.html`` for several.

    Raises:
        click.UsageError: it is not named .html or .csv, or its folder does not exist.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in {".html", ".csv"}:
            raise click.UsageError(f"--timeline {path}: name it something.html or something.csv.")
        if not path.parent.is_dir():
            raise click.UsageError(f"--timeline {path}: the folder {path.parent} does not exist.")
        if path.is_dir():
            raise click.UsageError(f"--timeline {path}: that is a folder; name a file in it.")
        self._path = path

    def save(self, analysis: Analysis, name: str, number: int, count: int) -> None:
        """Write the timeline of file ``number`` (from 0) of ``count``; a picture has none.

        What was written, or why nothing was, is told on standard error.
        """
        if not any(face.timeline for face in analysis.faces):
            click.echo(f"{name}: a picture has no timeline.", err=True)
            return
        path = self._path
        if count > 1:
            path = path.with_name(f"{path.stem}-{number + 1}{path.suffix}")
        try:
            path.write_text(self._text(analysis, name), encoding="utf-8")
        except OSError as error:
            click.echo(f"The timeline cannot be written to {path}: {error.strerror}.", err=True)
        else:
            click.echo(f"Timeline: {path}", err=True)

    def _text(self, analysis: Analysis, name: str) -> str:
        if self._path.suffix.lower() == ".csv":
            from assistant.report import timeline_csv

            return timeline_csv(analysis)
        from assistant.ui.timeline import timeline_page

        return timeline_page(Path(name).name, analysis)
