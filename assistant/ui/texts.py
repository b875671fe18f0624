"""What the page says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.ui.markup import render

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

__all__ = [
    "BLIND_INFO",
    "BLIND_LABEL",
    "EXAMPLE_LABELS",
    "MODEL_INFO",
    "MODEL_LABEL",
    "QUESTIONS",
    "TALK_TITLE",
    "header",
    "limits",
]

EXAMPLE_LABELS = {
    "astronaut": "A portrait",
    "coffee": "A picture without a face",
}

MODEL_LABEL = "Let the language model write"
MODEL_INFO = (
    "In its own words instead of the template's; each sentence is checked against the facts all "
    "the same. Takes some seconds more."
)
BLIND_LABEL = "Look first, without the score"
BLIND_INFO = (
    "The language model describes the face before it is told the score. Where that does not fit "
    "what was measured, you see both. Takes a few seconds more."
)

#: The questions that stand on the page as buttons.
QUESTIONS = (
    "Why?",
    "Where?",
    "How sure is this?",
    "What could be wrong?",
    "What if it had been recompressed?",
)

TALK_TITLE = (
    '<header class="wf-talk-head"><h2>Ask about it</h2>'
    "<p>Answers use the evidence alone. The score never changes by asking.</p></header>"
)


def header(*, demo: bool) -> str:
    """Name, what it is, and the switch between light and dark."""
    return render("about", "header", demo)


def limits(assistant: Assistant) -> str:
    """What the page cannot do, and what happens to a picture."""
    return render("about", "limits", assistant.limits.media, assistant.provenance())
