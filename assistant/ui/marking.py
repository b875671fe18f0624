"""The marked-up clip of a visitor, made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.errors import AssistantError
from assistant.marked_clip import marked_clip
from assistant.pipeline import Assistant
from assistant.ui.downloads import export_panel
from assistant.ui.markup import problem, waiting
from assistant.ui.sessions import Session

__all__ = ["marking"]


def marking(assistant: Assistant, session: Session) -> Iterator[dict[str, str]]:
    """Updates of the page while people are drawn into the clip, the last with a link to save it."""
    analysis, clip = session.analysis, session.kept
    if analysis is None or clip is None:
        return
    yield {"export": waiting("Drawing boxes into the clip")}
    demo, limits = assistant.demo, assistant.limits.media
    try:
        made = marked_clip(clip, session.faces, limits, demo=demo, cancel=session.cancel)
    except AssistantError as error:
        yield {"export": problem(error.user_message, error.hint) + export_panel(session)}
        return
    if session.analysis is analysis:
        yield {"export": export_panel(session, made)}
