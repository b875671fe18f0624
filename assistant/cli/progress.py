"""How far a run over many files is, on stderr."""

from __future__ import annotations

import sys
import time

import click

__all__ = ["FileProgress", "time_left"]

_EVERY = 2.0


def time_left(seconds: float) -> str:
    """Seconds as people read a wait: ``about 1 min 05 s left``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"about {hours} h {minutes:02d} min left"
    return f"about {minutes} min {rest:02d} s left" if minutes else f"about {rest} s left"


class FileProgress:
    """``4 of 12 files, about 40 s left``, where more than three files are to be analysed.

    A terminal's line is rewritten; elsewhere a line is added every two seconds at most.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._on = total > 3
        self._began = self._told = time.monotonic()
        self._first = 0.0

    def done(self, count: int) -> None:
        """Tell that ``count`` files have been gone through."""
        if not self._on or count >= self._total:
            return
        now = time.monotonic()
        # The first file also waits for the models to warm up: it is left out once there are others.
        self._first = self._first or now
        gone, steps = (now - self._began, 1) if count == 1 else (now - self._first, count - 1)
        text = f"{count} of {self._total} files, {time_left(gone / steps * (self._total - count))}"
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{text} ...", nl=False, err=True)
        elif now - self._told >= _EVERY:
            click.echo(text, err=True)
            self._told = now
