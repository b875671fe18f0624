"""What the page says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.ui.markup import text

if TYPE_CHECKING:
    from assistant.ui.page_assistant import PageAssistant

__all__ = [
    "BLIND_INFO",
    "BLIND_LABEL",
    "EXAMPLE_LABELS",
    "QUESTIONS",
    "TALK_TITLE",
    "header",
    "limits",
]

EXAMPLE_LABELS = {
    "astronaut": "A portrait",
    "coffee": "A picture without a face",
}

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
    mark = '<p class="wf-demo">Demo, not an analysis</p>' if demo else ""
    return (
        '<header class="wf-top"><div><h1>Whyfake</h1>'
        "<p>Is this face manipulated, and why? A detector measures; a language model puts the "
        f"measurements into words, and every claim is checked.</p></div>{mark}"
        '<button type="button" class="wf-theme" aria-label="Switch between light and dark">'
        '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8.5"/>'
        '<path d="M12 3.5a8.5 8.5 0 0 1 0 17z"/></svg></button></header>'
    )


def limits(assistant: PageAssistant) -> str:
    """What the page cannot do, and what happens to a picture."""
    media = assistant.limits.media
    stages = assistant.describe()
    rows = "".join(
        f"<li><b>{text(stage.replace('_', ' ').capitalize())}</b> {text(about['name'])}</li>"
        for stage, about in stages.items()
    )
    return (
        '<section class="wf-limits" aria-labelledby="wf-limits-title">'
        '<h2 id="wf-limits-title">What this cannot do</h2><ul>'
        "<li>It gives an estimate, not proof. Do not accuse anyone on its word.</li>"
        "<li>It judges faces alone: not voices, scenes, captions, or who somebody is.</li>"
        "<li>Kinds of manipulation it was not trained on, small or blurred faces and strong "
        "compression make it worse. The interval covers pictures like "
        "those it was calibrated on.</li>"
        "<li>The map shows where part of the score came from. "
        "That is not always where something was "
        "changed.</li></ul>"
        "<p>Your file is read into memory, its upload is deleted at once, and the result is "
        "forgotten when you clear it or close the page. Pictures up to "
        f"{media.max_image_bytes // 2**20} MB, "
        f"videos up to {media.max_video_bytes // 2**20} MB.</p>"
        f"<details><summary>What is running</summary><ul>{rows}</ul></details></section>"
    )
