"""What every cue is and shares: the Protocol, its gates, and how it compares two places."""

from __future__ import annotations

import math
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from assistant.cues.window import FaceWindow
from assistant.types import CuePlace, CueReading, NotJudged, QualityIssue

__all__ = ["LEAST_EYES", "Cue", "Reading", "compared", "detail", "refused"]

#: Faces whose eyes are nearer to each other than this, in pixels, are too small for any cue.
LEAST_EYES = 24.0

Reading = CueReading | NotJudged

_WHY = {
    QualityIssue.SMALL: "the face is too small",
    QualityIssue.BLURRED: "the face is blurred",
    QualityIssue.TURNED: "the face is turned away",
    QualityIssue.DARK: "the face is dark",
    QualityIssue.BRIGHT: "the face is overexposed",
    QualityIssue.CUT_OFF: "the face is cut off",
    QualityIssue.GREYSCALE: "the face is greyscale",
    QualityIssue.COMPRESSED: "the picture is strongly compressed",
    QualityIssue.UNSURE: "the face was found with low confidence",
    QualityIssue.COVERED: "the eyes cannot be seen",
}
#: What makes every cue silent; each adds what else does.
_ALWAYS = frozenset(
    {
        QualityIssue.TURNED,
        QualityIssue.CUT_OFF,
        QualityIssue.UNSURE,
        QualityIssue.BLURRED,
        QualityIssue.DARK,
    }
)


@runtime_checkable
class Cue(Protocol):
    """Measures one thing that can be looked at, or says why it cannot.

    Attributes:
        name: in the registry and in the reference.
        sign: 1 where larger values are the less usual ones, -1 where smaller ones are.
        visible: False for statistics that no eye sees.
        gates: quality issues besides the common ones under which it is not judged.
    """

    name: ClassVar[str]
    sign: ClassVar[int]
    visible: ClassVar[bool]
    gates: ClassVar[frozenset[QualityIssue]]

    def measure(self, window: FaceWindow) -> Reading:
        """Compare two places of a face whose quality was found good enough."""
        ...


def refused(cue: Cue, window: FaceWindow) -> NotJudged | None:
    """Why a face is not shown to a cue at all, by its size, its quality and its surroundings."""
    if window.eyes < LEAST_EYES:
        reason = f"the eyes are {window.eyes:.0f} pixels apart, and {LEAST_EYES:.0f} are needed"
        return NotJudged(cue=cue.name, reason=reason)
    for issue in window.issues:
        if issue in _ALWAYS or issue in cue.gates:
            return NotJudged(cue=cue.name, reason=_WHY.get(issue, issue.value))
    return None


def compared(
    cue: Cue,
    window: FaceWindow,
    value: float,
    first: tuple[str, NDArray[np.bool_]],
    second: tuple[str, NDArray[np.bool_]],
    *,
    quantity: str = "fine detail",
    unit: str = "times",
) -> Reading:
    """A reading of two named masks of a window."""
    if not math.isfinite(value):
        return NotJudged(cue=cue.name, reason="the picture holds no detail there")
    places = tuple(CuePlace(name=n, box_xyxy=window.box(m)) for n, m in (first, second))
    return CueReading(
        cue=cue.name,
        quantity=quantity,
        value=float(value),
        unit=unit,
        places=(places[0], places[1]),
    )


def detail(window: FaceWindow, mask: NDArray[np.bool_]) -> float:
    """Root mean square of second differences of brightness: how much fine detail lies there.

    0.55 is added in squares for rounding to whole grey levels, so that flat places stay comparable.
    """
    return float(np.sqrt(window.second[mask].mean() + 0.3))
