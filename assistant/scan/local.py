"""The engine of one machine: threads prepare files a few ahead of the batches that are scored."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.compute import one_thread_each
from assistant.errors import AssistantError, InferenceError
from assistant.scan.items import read_item
from assistant.scan.ledger import Ledger
from assistant.scan.stage import Examiner, Prepared

__all__ = ["Progress", "Tally", "scan"]

_log = logging.getLogger(__name__)
_FACES = 8  # a batch; larger ones are no faster on a CPU
_FILES = 32
_FAILED = 1000  # more than can be ready at a time
_PIXELS = 200_000_000  # bytes of decoded pictures that may wait to be scored


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
    """Counts what a run enters, and tells it on.

    Args:
        ledger: where it goes.
        tell: is handed the progress after every batch.
    """

    def __init__(self, ledger: Ledger, tell: Callable[[Progress], None]) -> None:
        self._ledger, self._tell = ledger, tell
        self._before, self._total = ledger.counts()
        self._began = time.monotonic()
        self._analysed = self._same = self._refused = 0

    def enter(
        self, rows: Sequence[tuple[str, str, int, dict[str, Any] | AssistantError | None]]
    ) -> None:
        """Enter files with outcome or error, in one transaction.

        Args:
            rows: path, SHA-256, bytes, outcome; several files may share one content.
        """
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


def scan(
    ledger: Ledger,
    examiner: Examiner,
    *,
    workers: int | None = None,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> Progress:
    """Analyse what the ledger lists and does not know yet.

    Args:
        ledger: what there is and what is done.
        examiner: analyses.
        workers: threads that read files and find faces; as many as OpenCV has where None.
        tell: is handed the progress after every batch.
    """
    tally = Tally(ledger, tell)
    with (
        one_thread_each() as threads,
        contextlib.closing(_Ahead(ledger, examiner, workers or threads)) as ahead,
    ):
        work = _Batches(ledger, examiner, tally, ahead)
        for item in ahead:
            work.take(item)
        work.flush()
    return tally.progress


class _Batches:
    """Gathers what is ready, scores it, and enters each content once for all files that have it."""

    def __init__(self, ledger: Ledger, examiner: Examiner, tally: Tally, ahead: _Ahead) -> None:
        self._ledger, self._examiner = ledger, examiner
        self._tally, self._ahead = tally, ahead
        self._batch: list[tuple[_Read, Prepared]] = []
        self._rows: list[tuple[str, str, int, dict[str, Any] | AssistantError | None]] = []
        self._waiting: dict[str, list[_Read]] = {}  # files of a content that is being worked on
        self._failed: OrderedDict[str, AssistantError] = OrderedDict()

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
        full = faces >= _FACES or len(self._batch) + len(self._rows) >= _FILES
        if full or self._ahead.starved:
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
        self._ahead.release({row[1] for row in rows}, sum(ready.size for _, ready in batch))

    def _settle(self, item: _Read, outcome: dict[str, Any] | AssistantError) -> None:
        """Take down a content's outcome for this file and for those that wait for it."""
        same = [item, *self._waiting.pop(item.sha256, [])]
        self._rows += [(one.path, one.sha256, one.size, outcome) for one in same]
        if isinstance(outcome, AssistantError) and item.sha256:
            self._failed[item.sha256] = outcome
            while len(self._failed) > _FAILED:
                self._failed.popitem(last=False)


class _Ahead:
    """Files of a ledger as they get ready, prepared by threads.

    A thread begins no file while more decoded pixels than the limit wait for a batch.
    """

    def __init__(self, ledger: Ledger, examiner: Examiner, workers: int) -> None:
        self._ledger, self._examiner = ledger, examiner
        self._todo: queue.Queue[str | None] = queue.Queue()
        self._ready: queue.Queue[_Read] = queue.Queue()
        self._free = threading.Condition()
        self._held, self._over = 0, False
        self._claimed: set[str] = set()
        self._depth = 2 * _FACES + workers
        self._threads = [
            threading.Thread(target=self._work, name="whyfake-scan", daemon=True)
            for _ in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def starved(self) -> bool:
        """Whether the threads wait for memory."""
        with self._free:
            return self._held >= _PIXELS

    def __iter__(self) -> Iterator[_Read]:
        """Every file that is left, as it gets ready."""
        out = 0
        for path in self._ledger.left():
            self._todo.put(path)
            out += 1
            if out >= self._depth:
                yield self._ready.get()
                out -= 1
        for _ in range(out):
            yield self._ready.get()

    def release(self, entered: set[str], size: int) -> None:
        """Tell which contents are entered, and how many bytes of pixels are done with."""
        with self._free:
            self._claimed -= entered
            self._held -= size
            self._free.notify_all()

    def close(self) -> None:
        """End the threads."""
        with self._free:
            self._over = True
            self._free.notify_all()
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (path := self._todo.get()) is not None:
            with self._free:
                self._free.wait_for(lambda: self._held < _PIXELS or self._over)
                if self._over:
                    return
            self._ready.put(self._made(path))

    def _made(self, path: str) -> _Read:
        sha256, size = "", 0
        try:
            data = read_item(path, self._examiner.media)
            sha256, size = hashlib.sha256(data).hexdigest(), len(data)
            with self._free:
                if sha256 in self._claimed or self._ledger.has_outcome(sha256):
                    return _Read(path, sha256, size, None)
                self._claimed.add(sha256)
            ready = self._examiner.prepare(data)
        except AssistantError as error:
            return _Read(path, sha256, size, error)
        except Exception:  # noqa: BLE001 - a thread must not die and leave the scan waiting
            _log.exception("a file could not be prepared")
            failed = InferenceError("The file could not be prepared.", code="internal-error")
            return _Read(path, sha256, size, failed)
        with self._free:
            self._held += ready.size
        return _Read(path, sha256, size, ready)
