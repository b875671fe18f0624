"""Generated words as HTML: drafts, checked explanations and the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.errors import AssistantError
from assistant.types import Description, Explanation, Turn
from assistant.ui.markup import render

__all__ = ["conversation", "draft_panel", "explanation_panel", "stopped_panel"]


def draft_panel(draft: str, seen: Description | None = None) -> str:
    """The explanation while it is written; ``seen``: what was described before it."""
    return render("words", "draft_panel", draft, seen)


def stopped_panel(draft: str, error: AssistantError) -> str:
    """An explanation that ended early: what was written was not checked and does not count."""
    return render("words", "stopped_panel", draft, error)


def explanation_panel(explanation: Explanation) -> str:
    """The checked explanation of a face."""
    return render("words", "explanation_panel", explanation)


def conversation(
    turns: Sequence[Turn],
    *,
    question: str | None = None,
    draft: str = "",
    stopped: tuple[str, str, AssistantError] | None = None,
) -> str:
    """All questions with their checked answers; empty where there is none.

    Args:
        turns: the answered ones.
        question: one that is being answered.
        draft: what is written of its answer.
        stopped: question, draft and error of one that got no answer.
    """
    if not turns and question is None and stopped is None:
        return ""
    return render("words", "conversation", turns, question, draft, stopped)
