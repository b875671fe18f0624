"""The local engine: files are read and hashed in a thread while others are analysed."""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import AssistantError
from assistant.media import read_path
from assistant.scan.ledger import Ledger
from assistant.scan.stage import examine

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

__all__ = ["Progress", "scan"]

_AHEAD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a scan is. ``seconds_left`` is None until a file of this run was analysed."""

    done: int
    total: int
    analysed: int
    same: int
    refused: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class _Read:
    path: str
    data: bytes | None
    sha256: str
    error: AssistantError | None


def scan(
    paths: Iterable[str],
    ledger: Ledger,
    assistant: Assistant,
    *,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> Progress:
    """Analyse what the ledger does not know yet.

    Args:
        paths: the files; those that the ledger knows are passed over.
        ledger: what is done.
        assistant: analyses.
        tell: is handed the progress after every file.
    """
    every = list(paths)
    left = [path for path in every if not ledger.knows(path)]
    done, analysed, same, refused = len(every) - len(left), 0, 0, 0
    began = time.monotonic()
    last = Progress(done=done, total=len(every), analysed=0, same=0, refused=0, seconds_left=None)
    for item in _read_ahead(left, assistant):
        try:
            if _take(item, ledger, assistant):
                analysed += 1
            else:
                same += 1
        except AssistantError as error:
            ledger.refuse(item.path, error.code, error.user_message, error.hint)
            refused += 1
        done += 1
        pace = (time.monotonic() - began) / (analysed + same + refused)
        last = Progress(
            done=done,
            total=len(every),
            analysed=analysed,
            same=same,
            refused=refused,
            seconds_left=pace * (len(every) - done),
        )
        tell(last)
    return last


def _take(item: _Read, ledger: Ledger, assistant: Assistant) -> bool:
    """Enter one file; False where the same content was analysed before."""
    if item.error is not None:
        raise item.error
    data = item.data or b""
    if ledger.has_outcome(item.sha256):
        ledger.enter(item.path, item.sha256, len(data))
        return False
    ledger.enter(item.path, item.sha256, len(data), examine(assistant, data))
    return True


def _read_ahead(paths: list[str], assistant: Assistant) -> Iterable[_Read]:
    """Files in order, read by a thread that stays a few files ahead."""
    ready: queue.Queue[_Read | None] = queue.Queue(maxsize=_AHEAD)
    over = threading.Event()

    def read() -> None:
        for path in paths:
            if over.is_set():
                return
            item = _read(path, assistant)
            while not over.is_set():
                try:
                    ready.put(item, timeout=0.2)
                    break
                except queue.Full:
                    continue
        while not over.is_set():
            try:
                ready.put(None, timeout=0.2)
                break
            except queue.Full:
                continue

    thread = threading.Thread(target=read, name="whyfake-scan-read", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            yield item
    finally:
        over.set()
        thread.join()


def _read(path: str, assistant: Assistant) -> _Read:
    try:
        data = read_path(Path(path), assistant.limits.media)
    except AssistantError as error:
        return _Read(path, None, "", error)
    return _Read(path, data, hashlib.sha256(data).hexdigest(), None)
