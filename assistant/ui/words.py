"""Generated words as HTML: drafts, checked explanations and the conversation. Pure; all escaped."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.citations import without_cites
from assistant.errors import AssistantError
from assistant.types import Description, Explanation, Sentence, SentenceStatus, Turn
from assistant.ui.markup import cites, text

__all__ = [
    "answering",
    "checked",
    "conversation",
    "draft_panel",
    "explanation_panel",
    "stopped_panel",
]

_TITLE = (
    '<header><h2 id="wf-words-title">Explanation</h2>'
    '<span class="wf-tag">Generated text</span></header>'
)


def draft_panel(draft: str, seen: Description | None = None) -> str:
    """The explanation while it is written; ``seen``: what was described before it."""
    return _panel(_TITLE + _seen(seen) + _draft(draft), 'data-state="writing" aria-busy="true"')


def stopped_panel(draft: str, error: AssistantError) -> str:
    """An explanation that ended early: what was written was not checked and does not count."""
    return _panel(_TITLE + _failed(draft, error), 'data-state="stopped"')


def explanation_panel(explanation: Explanation) -> str:
    """The checked explanation of a face."""
    said = f"Explanation: {explanation.text}"
    return _panel(
        _TITLE + _seen(explanation.blind) + checked(explanation),
        f'data-state="checked" data-announce="{text(said)}"',
    )


def checked(explanation: Explanation) -> str:
    """Sentences with links to evidence; those that do not stand up are replaced or struck."""
    body = " ".join(_sentence(s) for s in explanation.sentences)
    if not explanation.sentences:
        body = text(explanation.text)
    struck = [s for s in explanation.sentences if s.struck]
    return (
        _fallback(explanation)
        + f'<p class="wf-prose">{body}</p>'
        + _struck(struck)
        + _source(explanation)
    )


def answering(question: str, draft: str) -> str:
    """A question whose answer is being written."""
    return _turn(question, _draft(draft), 'data-state="writing" aria-busy="true"')


def conversation(
    turns: Sequence[Turn], *, last: str = "", failed: tuple[str, str, AssistantError] | None = None
) -> str:
    """All questions with their checked answers.

    Args:
        turns: the answered ones.
        last: HTML of a question that is being answered.
        failed: question, draft and error of one that got no answer.
    """
    parts = [
        _turn(
            turn.question,
            checked(turn.explanation),
            'data-state="checked"'
            + (
                f' data-announce="{text(f"Answer: {turn.explanation.text}")}"'
                if i == len(turns) - 1 and not last and failed is None
                else ""
            ),
        )
        for i, turn in enumerate(turns)
    ]
    if failed is not None:
        question, draft, error = failed
        parts.append(_turn(question, _failed(draft, error), 'data-state="stopped"'))
    parts.append(last)
    return f'<div class="wf-log">{"".join(parts)}</div>' if any(parts) else ""


def _panel(body: str, attributes: str) -> str:
    return (
        f'<section class="wf-card wf-words" aria-labelledby="wf-words-title" {attributes}>'
        f"{body}</section>"
    )


def _turn(question: str, answer: str, attributes: str) -> str:
    return (
        f'<article class="wf-turn" {attributes}><p class="wf-question">'
        f'<span class="wf-sr">You asked: </span>{text(question)}</p>'
        f'<div class="wf-answer">{answer}</div></article>'
    )


def _draft(draft: str) -> str:
    shown = text(draft) if draft else "Reading the evidence"
    return (
        f'<p class="wf-prose wf-draft">{shown}<span class="wf-caret" aria-hidden="true"></span></p>'
        '<p class="wf-small">Being written. No sentence has been checked yet.</p>'
    )


def _failed(draft: str, error: AssistantError) -> str:
    said = f"{error.user_message} {error.hint}".strip()
    shown = f'<p class="wf-prose wf-draft"><del>{text(draft)}</del></p>' if draft else ""
    return f'{shown}<p class="wf-notice" data-announce="{text(said)}">{text(said)}</p>'


def _sentence(sentence: Sentence) -> str:
    words = text(without_cites(sentence.text))
    if sentence.status is SentenceStatus.SUPPORTED:
        return f'<span class="wf-ok">{words}{cites(sentence.cites)}</span>'
    if sentence.status is SentenceStatus.NOT_CHECKED:
        return f'<span class="wf-unchecked">{words}<span class="wf-why">not checked</span></span>'
    if sentence.replacement:
        how = "written again" if sentence.rewritten else "corrected"
        return (
            f'<span class="wf-fixed">{text(without_cites(sentence.replacement))}'
            f'{cites(sentence.cites)}<span class="wf-why">{how}</span></span>'
        )
    return f'<del class="wf-del"><span class="wf-sr">Struck: </span>{words}</del>'


def _struck(struck: Sequence[Sentence]) -> str:
    if not struck:
        return ""
    count = "1 sentence" if len(struck) == 1 else f"{len(struck)} sentences"
    items = "".join(
        f"<li><del>{text(without_cites(s.text))}</del> <span>{text(s.status.value)}: "
        f"{text(s.reason or 'no fact of the evidence says so')}</span></li>"
        for s in struck
    )
    return (
        f'<details class="wf-struck"><summary>{count} did not stand up to the evidence</summary>'
        f"<ul>{items}</ul></details>"
    )


def _seen(seen: Description | None) -> str:
    """What the model saw before it was told the score, and where that does not fit."""
    if seen is None:
        return ""
    body = f'<p class="wf-prose">{text(seen.text)}</p>' if seen.text else ""
    if seen.problem:
        body += f'<p class="wf-notice">{text(seen.problem)}</p>'
    for found in seen.disagreements:
        said = f'It said: "{found.said}" But measured: {found.measured}'
        body += (
            f'<p class="wf-notice wf-disagrees" data-announce="{text(said)}">'
            f"<b>Does not fit.</b> It said: <q>{text(found.said)}</q> But measured: "
            f"{text(found.measured)}{cites(found.cites)}</p>"
        )
    left_out = len(seen.struck)
    if left_out:
        count = "1 sentence was" if left_out == 1 else f"{left_out} sentences were"
        body += f'<p class="wf-small">{count} left out: not a description of the picture.</p>'
    return (
        '<div class="wf-seen"><h3>Before it knew the score</h3>'
        f"{body}"
        '<p class="wf-small">The model was shown the face alone. Nobody measured this, and no '
        "verdict rests on it.</p></div>"
    )


def _fallback(explanation: Explanation) -> str:
    if not explanation.fell_back:
        return ""
    return (
        '<p class="wf-notice" data-fell-back>Written by the template instead of the language '
        "model. "
        f"{text(explanation.fallback_reason)}</p>"
    )


def _source(explanation: Explanation) -> str:
    times = f"{explanation.seconds:.1f} s"
    if explanation.truncated:
        times += ", cut at its length limit"
    return (
        f'<p class="wf-source">Written by {text(explanation.backend)}, every sentence checked '
        f"against the evidence. Prompt {text(explanation.prompt)}, {times}.</p>"
    )
