"""Are both irises of one colour?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["IrisColour"]

_CORNERS = ((33, 133), (362, 263))
_LEAST_EYE = 30.0
_DARKEST = 0.35


class IrisColour:
    """Distance of colour between the dark middles of both eyes, in CIE a*b*."""

    name: ClassVar[str] = "iris-colour"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {
            QualityIssue.GREYSCALE,
            QualityIssue.DARK,
            QualityIssue.BLURRED,
            QualityIssue.COMPRESSED,
            QualityIssue.COVERED,
        }
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Distance of the medians of chroma; only of eyes at least 30 pixels wide."""
        width = min(float(np.linalg.norm(window.points[a] - window.points[b])) for a, b in _CORNERS)
        if width < _LEAST_EYE:
            return NotJudged(
                cue=self.name,
                reason=f"an eye is {width:.0f} pixels wide, and {_LEAST_EYE:.0f} are needed",
            )
        masks = []
        for group in ("left eye", "right eye"):
            hull = window.part(group)
            if hull.sum() < 60:
                return NotJudged(cue=self.name, reason="an eye is closed or covered")
            masks.append(hull & (window.grey <= np.quantile(window.grey[hull], _DARKEST)))
        gap = np.subtract(*(np.median(window.lab[m], 0)[1:] for m in masks))
        return compared(
            self,
            window,
            float(np.hypot(*gap)),
            ("left eye", masks[0]),
            ("right eye", masks[1]),
            quantity="colour",
            unit="units of colour",
        )
