"""A working fake: says what it was told to, after a delay, or fails or hangs on purpose."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from assistant.types import VlmRequest

__all__ = ["ScriptedBackend"]

_DEMO = "This is a scripted demo, not an analysis."


class ScriptedBackend:
    """Streams given replies word by word, in order; the last one repeats. A demo, not an analysis.

    Args:
        replies: the answers; none for one that says it is a demo.
        delay: seconds before each word.
        error: raised after ``error_after`` words.
        hang_after: after that many words it says nothing more until it is cancelled.
    """

    name = "scripted"
    supports_images = True
    most_images = 3
    #: Every surface that it reaches must say that this is no analysis.
    demo = True

    def __init__(
        self,
        replies: Sequence[str] = (),
        *,
        delay: float = 0.0,
        error: Exception | None = None,
        error_after: int = 0,
        hang_after: int | None = None,
    ) -> None:
        self._replies = tuple(replies) or (_DEMO,)
        self._delay = delay
        self._error = error
        self._error_after = error_after
        self._hang_after = hang_after
        self._lock = threading.Lock()
        self._next = 0
        #: All requests so far, for tests.
        self.requests: list[VlmRequest] = []

    @classmethod
    def from_settings(cls, _: object) -> ScriptedBackend:
        """One that says it is a demo."""
        return cls()

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        """Yield the next reply; each request gets its own."""
        with self._lock:
            self.requests.append(request)
            reply = self._replies[min(self._next, len(self._replies) - 1)]
            self._next += 1
        # The reply is chosen here, not at the first word: two requests cannot swap theirs.
        return self._words(reply, cancel)

    def provenance(self) -> Mapping[str, str]:
        """Says that it is a script."""
        return {"backend": self.name, "model": "none: a script (demo, not an analysis)"}

    def close(self) -> None:
        """Nothing to stop."""

    def _words(self, reply: str, cancel: threading.Event) -> Iterator[str]:
        words = re.findall(r"\s*\S+|\s+$", reply)
        for index in range(len(words) + 1):
            if self._error is not None and index == min(self._error_after, len(words)):
                raise self._error
            if self._hang_after is not None and index >= self._hang_after:
                cancel.wait()
            if self._delay:
                deadline = time.monotonic() + self._delay
                cancel.wait(max(0.0, deadline - time.monotonic()))
            if cancel.is_set() or index == len(words):
                return
            yield words[index]
