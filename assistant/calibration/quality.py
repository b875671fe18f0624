"""What a face's quality notes do to its calibrated score.

A poor picture hides the traces that a detector looks for, so it is the quiet verdict that cannot be
believed: a manipulated face must not become "no sign found" because its picture lost its colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from assistant.calibration.odds import moved
from assistant.types import (
    Calibrated,
    DomainFinding,
    QualityIssue,
    QualityNote,
    Severity,
    Verdict,
)

__all__ = ["DRIFT", "quality_effect"]

#: Log-odds by which both ends of the interval move apart, by the worst note.
DRIFT: Mapping[Severity, float] = MappingProxyType({Severity.WEAKENS: 0.5, Severity.BLINDS: 1.5})


def quality_effect(
    calibrated: Calibrated, finding: DomainFinding | None, notes: Sequence[QualityNote]
) -> tuple[Calibrated, DomainFinding | None]:
    """Widen the interval; give no verdict in place of a quiet one that rests on a blind look.

    Args:
        calibrated: of the face, after the domain check.
        finding: of the domain check; None where there is none.
        notes: of the face.

    Returns:
        The score with its interval widened by :data:`DRIFT` of the worst note. Where a note
        ``BLINDS`` and the verdict is ``no sign found``, the verdict becomes ``uncertain`` and the
        finding ``outside``, with what the notes say as reasons. No other verdict changes.
    """
    if not notes:
        return calibrated, finding
    drift = max(DRIFT[note.severity] for note in notes)
    low, high = calibrated.interval
    wider = replace(
        calibrated,
        interval=(
            min(moved(low, -drift), calibrated.probability),
            max(moved(high, drift), calibrated.probability),
        ),
    )
    blind = [note for note in notes if note.severity is Severity.BLINDS]
    if not blind or calibrated.verdict is not Verdict.NO_SIGN:
        return wider, finding
    known = finding or DomainFinding(status="inside", distance=0.0, limit=1.0, outer_limit=1.0)
    reasons = tuple(_said(note.issue) for note in blind)
    return (
        replace(wider, verdict=Verdict.UNCERTAIN),
        replace(known, status="outside", reasons=(*known.reasons, *reasons)),
    )


def _said(issue: QualityIssue) -> str:
    covered = issue is QualityIssue.COVERED
    return "the eyes are not visible" if covered else f"the face is {issue.value}"
