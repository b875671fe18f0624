"""Has the neck the colour of the face?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["NeckColour"]

_CHIN, _FOREHEAD, _JAW = 152, 10, (172, 397)
_LEAST_PIXELS = 40
#: Farther from the skin's colour than this, in CIE a*b*, it is taken for cloth or hair.
_CLOTH = 18.0


class NeckColour:
    """Distance of colour between face and neck, in CIE a*b*; high where they do not belong."""

    name: ClassVar[str] = "neck-colour"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {QualityIssue.GREYSCALE, QualityIssue.DARK, QualityIssue.BRIGHT}
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Distance of the medians of chroma."""
        height, width = window.grey.shape
        chin = window.points[_CHIN]
        down = chin - window.points[_FOREHEAD]
        length = float(np.linalg.norm(down))
        down = down / max(length, 1e-6)
        jaw = float(np.linalg.norm(window.points[_JAW[1]] - window.points[_JAW[0]]))
        y, x = np.mgrid[0:height, 0:width]
        u, v = x - chin[0], y - chin[1]
        below, across = u * down[0] + v * down[1], u * down[1] - v * down[0]
        neck = (np.abs(below - 0.11 * length) < 0.05 * length) & (np.abs(across) < 0.22 * jaw)
        if neck.sum() < _LEAST_PIXELS:
            return NotJudged(cue=self.name, reason="the neck is not in the picture")
        skin = window.skin
        gap = np.median(window.lab[neck], 0)[1:] - np.median(window.lab[skin], 0)[1:]
        value = float(np.hypot(*gap))
        if value > _CLOTH:
            return NotJudged(cue=self.name, reason="the neck seems to be covered")
        return compared(
            self,
            window,
            value,
            ("neck", neck),
            ("face", skin),
            quantity="colour",
            unit="units of colour",
        )
