"""Is the skin as grainy as the flat places around the face?"""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["SkinNoise"]

_LEAST_PIXELS = 150


class SkinNoise:
    """Grain of flat skin over that of flat places around the face; low where grain is missing."""

    name: ClassVar[str] = "skin-noise"
    sign: ClassVar[int] = -1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {QualityIssue.BLURRED, QualityIssue.COMPRESSED, QualityIssue.DARK}
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Times as much grain in the skin as around the face."""
        skin, ring = window.skin, window.ring
        if min(skin.sum(), ring.sum()) < _LEAST_PIXELS:
            return NotJudged(cue=self.name, reason="too little of the picture lies around the face")
        value = _grain(window, skin) / _grain(window, ring)
        return compared(
            self,
            window,
            value,
            ("skin of the face", skin),
            ("picture around it", ring),
            quantity="grain",
        )


def _grain(window: FaceWindow, mask: NDArray[np.bool_]) -> float:
    """Median second difference in the flattest two fifths of a place, in grey levels."""
    slope = cv2.GaussianBlur(window.first, (0, 0), 2.0)[mask]
    flat = slope <= np.quantile(slope, 0.4)
    return float(np.median(np.sqrt(window.second[mask][flat]))) + 0.2
