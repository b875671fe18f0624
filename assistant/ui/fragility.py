"""How steady the score is under everyday changes of the file, as HTML bars. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.evidence import ChangeFact, SpreadFact, percent
from assistant.types import FaceAnalysis
from assistant.ui.markup import text

__all__ = ["fragility_panel"]


def fragility_panel(result: FaceAnalysis, *, pending: Sequence[str] = ()) -> str:
    """The score after each everyday change, beside the verdict's bands; empty without such facts.

    Args:
        result: the face.
        pending: names of the changes that are still to be measured: until there are facts, empty
            bars of these keep the place, so that nothing on the page moves when they fill.
    """
    changes = result.evidence.of(ChangeFact)
    if not changes and not pending:
        return ""
    summary = result.evidence.first(SpreadFact)
    rows = [_row("As it is", result.score.probability, result, base=True)]
    rows += [
        _row(fact.change, fact.probability, result, flips=fact.changes_verdict) for fact in changes
    ]
    if not changes:
        rows += [_row(name, None, result) for name in pending]
    if summary is not None:
        said = (
            f"{text(summary.text)} "
            f'<a class="wf-cite" href="#fact-{text(summary.id)}" data-fact="{text(summary.id)}" '
            f'aria-label="Evidence {text(summary.id)}">{text(summary.id)}</a>'
        )
    elif changes:
        said = "The probability after everyday changes such as sending it on."
    else:
        said = "The face is being scored again after everyday changes of the file."
    lower, upper = (percent(value) for value in result.score.thresholds)
    return (
        f'<section class="wf-card wf-fragility" aria-busy="{"false" if changes else "true"}" '
        'aria-labelledby="wf-fragility-title">'
        '<h2 id="wf-fragility-title">How steady the score is</h2>'
        f'<p class="wf-small">{said}</p><ul class="wf-bars">{"".join(rows)}</ul>'
        f'<p class="wf-small">The two lines on each bar are the limits of the verdicts: no sign '
        f"found below {lower}, likely manipulated from {upper}.</p></section>"
    )


def _row(
    name: str,
    probability: float | None,
    result: FaceAnalysis,
    *,
    flips: bool = False,
    base: bool = False,
) -> str:
    filled = (
        ""
        if probability is None
        else f'<i class="wf-bar-fill" style="width:{100 * probability:.1f}%"></i>'
    )
    limits = "".join(
        f'<i class="wf-bar-limit" style="left:{100 * value:.1f}%"></i>'
        for value in result.score.thresholds
    )
    value = "to come" if probability is None else percent(probability)
    changed = '<b class="wf-flip">verdict changes</b>' if flips else ""
    kind = ' class="wf-bar-base"' if base else ""
    return (
        f'<li{kind}><span class="wf-bar-name">{text(name[:1].upper() + name[1:])}</span>'
        f'<span class="wf-bar-track" aria-hidden="true">{filled}{limits}</span>'
        f'<span class="wf-bar-value">{value}</span>{changed}</li>'
    )
