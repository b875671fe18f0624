"""Events at a pace that a page can follow: faster words are joined, never held back."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Iterator

from assistant.errors import AssistantError, InferenceError
from assistant.events import Event, Failed, Token

__all__ = ["paced", "safely"]

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 0.08


def safely(events: Iterator[Event]) -> Iterator[Event]:
    """The events; an unforeseen error is logged under a number and told by that number alone."""
    try:
        yield from events
    except AssistantError as error:
        yield Failed(error=error)
    except Exception:  # noqa: BLE001 - the page must live on; the log has the traceback
        incident = uuid.uuid4().hex[:8]
        _log.exception("incident %s", incident)
        yield Failed(
            error=InferenceError(
                f"Something went wrong inside (incident {incident}).",
                hint="Try again; the log of the server tells more under that number.",
                code="unforeseen",
            )
        )


def paced(events: Iterator[Event], *, every_seconds: float = _EVERY_SECONDS) -> Iterator[Event]:
    """The events of :func:`safely`, with tokens joined that come within ``every_seconds``.

    The events run in a thread of their own, so that words already written are shown while the next
    one takes its time.
    """
    waiting: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def pump() -> None:
        for event in safely(events):
            waiting.put(event)
        waiting.put(None)

    threading.Thread(target=pump, name="page-words", daemon=True).start()
    due = 0.0
    event = waiting.get()
    while event is not None:
        if not isinstance(event, Token):
            yield event
            event = waiting.get()
            continue
        text, following, ended = event.text, None, False
        while not ended:
            try:
                following = waiting.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                break
            if isinstance(following, Token):
                text, following = text + following.text, None
            else:
                ended = True
        due = time.monotonic() + every_seconds
        yield Token(text=text)
        event = following if ended else waiting.get()
