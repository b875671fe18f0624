"""The engine of one machine: threads prepare files a few ahead of the batches that are scored."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.compute import done_ahead
from assistant.errors import AssistantError, InferenceError
from assistant.scan.items import read_item
from assistant.scan.ledger import Ledger
from assistant.scan.stage import Examiner, Prepared

__all__ = ["Progress", "Tally", "scan"]

_log = logging.getLogger(__name__)
_FACES = 8  # a batch; larger ones are no faster on a CPU
_FILES = 32
_FAILED = 1000  # more than can be ready at a time
_PIXELS = 100_000_000  # bytes of decoded pictures in a batch, and as many that wait for the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a scan is. ``seconds_left`` is None until a file of this run is done."""

    done: int
    total: int
    analysed: int
    same: int
    refused: int
    seconds_left: float | None


class Tally:
    """Counts what a run enters in the ledger; ``tell`` is handed the progress after each batch."""

    def __init__(self, ledger: Ledger, tell: Callable[[Progress], None]) -> None:
        self._ledger, self._tell = ledger, tell
        self._before, self._total = ledger.counts()
        self._began = time.monotonic()
        self._analysed = self._same = self._refused = 0

    def enter(
        self, rows: Sequence[tuple[str, str, int, dict[str, Any] | AssistantError | None]]
    ) -> None:
        """Enter files as :meth:`Ledger.enter` does; several may share one content."""
        fresh = self._ledger.enter(rows)
        refused = sum(isinstance(row[3], AssistantError) for row in rows)
        self._refused += refused
        self._analysed += fresh
        self._same += len(rows) - refused - fresh
        self._tell(self.progress)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        run = self._analysed + self._same + self._refused
        left = self._total - self._before - run
        pace = (time.monotonic() - self._began) / run if run else None
        return Progress(
            done=self._before + run,
            total=self._total,
            analysed=self._analysed,
            same=self._same,
            refused=self._refused,
            seconds_left=None if pace is None else pace * left,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """A file: prepared, of known content (``ready`` is None), or refused."""

    path: str
    sha256: str
    size: int
    ready: Prepared | AssistantError | None

    @property
    def pixels(self) -> int:
        """Bytes of its decoded pictures."""
        return self.ready.size if isinstance(self.ready, Prepared) else 0


def scan(
    ledger: Ledger,
    examiner: Examiner,
    *,
    workers: int | None = None,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> Progress:
    """Analyse what the ledger lists and does not know yet.

    ``workers`` threads read files and find faces, as many as OpenCV has where None; ``tell`` is
    handed the progress after every batch.
    """
    tally = Tally(ledger, tell)
    work = _Batches(ledger, examiner, tally)
    ready = done_ahead(
        work.read,
        ledger.left(),
        ahead=2 * _FACES,
        threads=workers,
        size=lambda item: item.pixels,
        most=_PIXELS,
    )
    with contextlib.closing(ready):
        for item in ready:
            work.take(item)
    work.flush()
    return tally.progress


class _Batches:
    """Gathers what is ready, scores it, and enters each content once for all files that have it."""

    def __init__(self, ledger: Ledger, examiner: Examiner, tally: Tally) -> None:
        self._ledger, self._examiner, self._tally = ledger, examiner, tally
        self._batch: list[tuple[_Read, Prepared]] = []
        self._rows: list[tuple[str, str, int, dict[str, Any] | AssistantError | None]] = []
        self._claimed: set[str] = set()  # contents that are being worked on
        self._claiming = threading.Lock()
        self._waiting: dict[str, list[_Read]] = {}  # further files of these
        self._failed: OrderedDict[str, AssistantError] = OrderedDict()

    def read(self, path: str) -> _Read:
        """Read a file and find its faces, unless its content is known; in any thread."""
        sha256, size = "", 0
        try:
            data = read_item(path, self._examiner.media)
            sha256, size = hashlib.sha256(data).hexdigest(), len(data)
            with self._claiming:
                if sha256 in self._claimed or self._ledger.has_outcome(sha256):
                    return _Read(path, sha256, size, None)
                self._claimed.add(sha256)
            return _Read(path, sha256, size, self._examiner.prepare(data))
        except AssistantError as error:
            return _Read(path, sha256, size, error)
        except Exception:  # noqa: BLE001 - one file must not end the scan
            _log.exception("a file could not be prepared")
            failed = InferenceError("The file could not be prepared.", code="internal-error")
            return _Read(path, sha256, size, failed)

    def take(self, item: _Read) -> None:
        """Put a file with the others."""
        if isinstance(item.ready, Prepared):
            self._batch.append((item, item.ready))
        elif isinstance(item.ready, AssistantError):
            self._settle(item, item.ready)
        elif item.sha256 in self._failed:
            self._rows.append((item.path, item.sha256, item.size, self._failed[item.sha256]))
        elif self._ledger.has_outcome(item.sha256):
            self._rows.append((item.path, item.sha256, item.size, None))
        else:
            self._waiting.setdefault(item.sha256, []).append(item)
        faces = sum(ready.faces for _, ready in self._batch)
        pixels = sum(ready.size for _, ready in self._batch)
        files = len(self._batch) + len(self._rows)
        if faces >= _FACES or files >= _FILES or pixels >= _PIXELS:
            self.flush()

    def flush(self) -> None:
        """Score and enter what was gathered."""
        batch, self._batch = self._batch, []
        found = self._examiner.outcomes([ready for _, ready in batch]) if batch else []
        for (item, _), outcome in zip(batch, found, strict=True):
            self._settle(item, outcome)
        rows, self._rows = self._rows, []
        if rows:
            self._tally.enter(rows)
        with self._claiming:
            self._claimed -= {row[1] for row in rows}

    def _settle(self, item: _Read, outcome: dict[str, Any] | AssistantError) -> None:
        """Take down a content's outcome for this file and for those that wait for it."""
        same = [item, *self._waiting.pop(item.sha256, [])]
        self._rows += [(one.path, one.sha256, one.size, outcome) for one in same]
        if isinstance(outcome, AssistantError) and item.sha256:
            self._failed[item.sha256] = outcome
            while len(self._failed) > _FAILED:
                self._failed.popitem(last=False)
