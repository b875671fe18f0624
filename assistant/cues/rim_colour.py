"""Has the rim of the face the colour of its middle?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["RimColour"]

_LEAST_PIXELS = 60


class RimColour:
    """Distance of colour between skin in the middle and at the rim, in CIE a*b*.

    High where a face of another colour was laid into the first.
    """

    name: ClassVar[str] = "rim-colour"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {QualityIssue.GREYSCALE, QualityIssue.DARK, QualityIssue.BRIGHT, QualityIssue.COVERED}
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Distance of the medians of chroma."""
        middle, rim = window.skin & (window.radius < 0.55), window.skin & (window.radius > 0.7)
        if min(middle.sum(), rim.sum()) < _LEAST_PIXELS:
            return NotJudged(cue=self.name, reason="too little of the skin can be seen")
        gap = np.median(window.lab[rim], 0)[1:] - np.median(window.lab[middle], 0)[1:]
        return compared(
            self,
            window,
            float(np.hypot(*gap)),
            ("rim of the face", rim),
            ("middle of the face", middle),
            quantity="colour",
            unit="units of colour",
        )
