"""A clip's people over time on disk, as a page of its own or as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.numbered_file import NumberedFile

if TYPE_CHECKING:
    from assistant.types import Analysis

__all__ = ["TimelineFile"]


class TimelineFile(NumberedFile):
    """Where timelines go: ``path`` for one file, ``name-1.html``, ``name-2.html`` for several.

    Raises:
        click.UsageError: it is not named .html or .csv, or its folder does not exist.
    """

    def __init__(self, path: Path) -> None:
        told = "name it something.html or something.csv."
        super().__init__("--timeline", path, {".html", ".csv"}, otherwise=told)

    def save(self, analysis: Analysis, name: str, number: int, count: int) -> None:
        """Write the timeline of file ``number`` (from 0) of ``count``; a picture has none.

        What was written, or why nothing was, is told on standard error.
        """
        if not any(face.timeline for face in analysis.faces):
            click.echo(f"{name}: a picture has no timeline.", err=True)
            return
        path = self.of(number, count)
        try:
            path.write_text(self._text(analysis, name), encoding="utf-8")
        except OSError as error:
            click.echo(f"The timeline cannot be written to {path}: {error.strerror}.", err=True)
        else:
            click.echo(f"Timeline: {path}", err=True)

    def _text(self, analysis: Analysis, name: str) -> str:
        if self.path.suffix.lower() == ".csv":
            from assistant.report import timeline_csv

            return timeline_csv(analysis)
        from assistant.ui.timeline import timeline_page

        return timeline_page(Path(name).name, analysis)
