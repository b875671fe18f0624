"""Which detector speaks for a visitor, and the file that another one can be asked about."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.events import Event
from assistant.media.sniff import is_video, sniff
from assistant.pipeline import Assistant
from assistant.types import FaceAnalysis
from assistant.ui.sessions import Session

__all__ = ["asked", "keep_file", "speaker_of"]

_MOST_KEPT = 64 * 2**20


def speaker_of(assistant: Assistant, session: Session) -> Assistant:
    """The assistant of the detector that the visitor chose.

    Raises:
        AssistantError: that detector cannot run here.
    """
    if assistant.speakers is None or not session.detector:
        return assistant
    return assistant.speakers.speaker(session.detector)


def keep_file(assistant: Assistant, session: Session, data: bytes) -> None:
    """Keep a file in memory where another detector could look at it, or it is a clip.

    A clip is looked at again for a part that is asked about, and to be marked up.
    """
    wanted = assistant.speakers is not None or is_video(sniff(data))
    if wanted and len(data) <= _MOST_KEPT:
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
