"""Runs a text stream in a thread of its own: one that hangs or dies never hangs its caller."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assistant.errors import AssistantError, Cancelled, GenerationTimeout, InferenceError

__all__ = ["StreamLimits", "guarded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Longest waits in seconds: to the first piece, between pieces, and in all."""

    first_seconds: float = 20.0
    idle_seconds: float = 15.0
    total_seconds: float = 60.0

    @classmethod
    def of(cls, first: float, total: float) -> StreamLimits:
        """Between pieces at most as long as to the first one."""
        return cls(first_seconds=first, idle_seconds=first, total_seconds=total)


class _End:
    """Marks the end of a stream; ``error`` is what ended it, if anything did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def guarded(
    start: Callable[[threading.Event], Iterator[str]],
    *,
    limits: StreamLimits,
    cancel: threading.Event | None = None,
) -> Iterator[str]:
    """Yield the pieces of ``start(stop)`` under time limits.

    Args:
        start: makes the stream; it is handed an event that tells it to stop.
        limits: the longest waits.
        cancel: set by the user to stop.

    Raises:
        Cancelled: ``cancel`` was set.
        GenerationTimeout: a limit was passed; the stream is told to stop and left behind.
        InferenceError: the stream failed; an ``AssistantError`` of its own passes unchanged.
    """
    stop = threading.Event()
    pieces: queue.Queue[str | _End] = queue.Queue()

    def pump() -> None:
        try:
            stream = start(stop)
            try:
                for piece in stream:
                    pieces.put(piece)
                    if stop.is_set():
                        break
            finally:  # here, in the thread whose event loop it uses, and not when it is collected
                close = getattr(stream, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, which raises it
            pieces.put(_End(error))
        else:
            pieces.put(_End())

    threading.Thread(target=pump, name="text-stream", daemon=True).start()
    began = time.monotonic()
    last = began
    first = True
    try:
        while True:
            if cancel is not None and cancel.is_set():
                raise Cancelled("The answer was stopped.", hint="Ask again to go on.")
            now = time.monotonic()
            silence = (limits.first_seconds if first else limits.idle_seconds) - (now - last)
            left = limits.total_seconds - (now - began)
            if silence <= 0 or left <= 0:
                said = (
                    f"gave nothing for {now - last:.0f} s"
                    if silence <= 0
                    else f"was not done after {now - began:.0f} s"
                )
                raise GenerationTimeout(
                    f"The text model {said}.",
                    hint="The evidence is unaffected; try again or use the template backend.",
                )
            try:
                piece = pieces.get(timeout=min(silence, left, 0.1))
            except queue.Empty:
                continue
            if isinstance(piece, _End):
                _raise(piece.error)
                return
            first, last = False, time.monotonic()
            yield piece
    finally:
        stop.set()


def _raise(error: BaseException | None) -> None:
    if error is None:
        return
    if isinstance(error, AssistantError):
        raise error
    raise InferenceError(
        f"The text model failed ({type(error).__name__}).",
        hint="The measured evidence is unaffected; `whyfake doctor` tells what is installed.",
    ) from error
