"""One generation at a time: a first-come, first-served queue whose length can be shown."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from assistant.errors import Cancelled, GenerationTimeout

__all__ = ["TurnQueue"]


class TurnQueue:
    """Admits one holder at a time, in order of arrival."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._line: deque[object] = deque()

    @property
    def length(self) -> int:
        """How many generate or wait now."""
        with self._condition:
            return len(self._line)

    @contextmanager
    def turn(self, cancel: threading.Event, *, timeout: float = math.inf) -> Iterator[None]:
        """Wait for a turn and hold it.

        Raises:
            Cancelled: ``cancel`` was set while waiting.
            GenerationTimeout: no turn within ``timeout`` seconds.
        """
        ticket = object()
        deadline = time.monotonic() + timeout
        with self._condition:
            self._line.append(ticket)
        try:
            with self._condition:
                while self._line[0] is not ticket:
                    if cancel.is_set():
                        raise Cancelled("The answer was stopped.", hint="Ask again to go on.")
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise GenerationTimeout(
                            f"The text model was busy for {timeout:.0f} s with other answers.",
                            hint="Try again in a moment.",
                        )
                    # Short waits, because the cancel event has no way to notify this condition.
                    self._condition.wait(min(left, 0.1))
            yield
        finally:
            with self._condition:
                self._line.remove(ticket)
                self._condition.notify_all()
