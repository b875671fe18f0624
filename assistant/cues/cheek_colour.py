"""Have the cheeks the colour of the middle of the face?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.faces.dense import GROUPS
from assistant.types import NotJudged, QualityIssue

__all__ = ["CheekColour"]

_LEAST_PIXELS = 60
_MIDDLE, _OUTER = 0.55, 0.6


class CheekColour:
    """Distance of colour between the outer cheeks and the skin in the middle, in CIE a*b*.

    High where a face was painted with flushed cheeks, as some generators do, or where its middle
    was laid in.
    """

    name: ClassVar[str] = "cheek-colour"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {QualityIssue.GREYSCALE, QualityIssue.BRIGHT, QualityIssue.COVERED}
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Distance of the medians of chroma."""
        rows = np.arange(window.grey.shape[0])[:, None]
        eyes = window.points[[*GROUPS["left eye"], *GROUPS["right eye"]], 1].mean()
        mouth = window.points[list(GROUPS["mouth"]), 1].max()
        middle = window.skin & (window.radius < _MIDDLE)
        cheeks = window.skin & (window.radius > _OUTER) & (rows > eyes) & (rows < mouth)
        if min(middle.sum(), cheeks.sum()) < _LEAST_PIXELS:
            return NotJudged(cue=self.name, reason="too little of the cheeks can be seen")
        gap = np.median(window.lab[cheeks], 0)[1:] - np.median(window.lab[middle], 0)[1:]
        return compared(
            self,
            window,
            float(np.hypot(*gap)),
            ("cheeks", cheeks),
            ("middle of the face", middle),
            quantity="colour",
            unit="units of colour",
        )
