"""Which detector speaks for a visitor, and the file that another one can be asked about."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.events import Event
from assistant.pipeline import Assistant
from assistant.types import FaceAnalysis
from assistant.ui.sessions import Session

__all__ = ["asked", "keep_for_others", "speaker_of"]


def speaker_of(assistant: Assistant, session: Session) -> Assistant:
    """The assistant of the detector that the visitor chose.

    Raises:
        AssistantError: that detector cannot run here.
    """
    if assistant.speakers is None or not session.detector:
        return assistant
    return assistant.speakers.speaker(session.detector)


def keep_for_others(assistant: Assistant, session: Session, data: bytes) -> None:
    """Keep a file in memory where another detector could look at it, unless it is a large clip."""
    if assistant.speakers is not None and len(data) <= assistant.limits.media.max_image_bytes:
        session.kept = data


def asked(
    assistant: Assistant, session: Session, face: FaceAnalysis, question: str
) -> Iterator[Event]:
    """The events of an answer about one of the visitor's faces."""
    kept = session.kept
    return speaker_of(assistant, session).ask(
        face,
        question,
        history=tuple(session.talk.turns),
        by_model=session.by_model,
        cancel=session.cancel,
        picture=None if kept is None else lambda: kept,
    )
