"""How steady the score is under everyday changes of the file, as HTML bars."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.evidence import ChangeFact, SpreadFact
from assistant.types import FaceAnalysis
from assistant.ui.markup import render

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
    return render("measured", "fragility_panel", result.score, changes, summary, pending)
