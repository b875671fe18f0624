"""Does the fineness of the picture change along a line inside the face's outline?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["EdgeDetail"]

_LEAST_PIXELS, _LEAST_IN_SECTOR = 100, 6
_SECTORS = 24


class EdgeDetail:
    """Fine detail of a band along the face's outline over the face inside it.

    High where a face was blended in within its outline: the band is then the original's, with its
    own detail, or holds the seam.
    """

    name: ClassVar[str] = "edge-detail"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset()

    def measure(self, window: FaceWindow) -> Reading:
        """Times as much detail along the outline as inside it; the median of directions."""
        band = (window.radius > 0.8) & (window.radius < 1.0)
        inside = (window.radius > 0.55) & (window.radius < 0.8)
        if min(band.sum(), inside.sum()) < _LEAST_PIXELS:
            return NotJudged(cue=self.name, reason="too little of the face's edge can be seen")
        sector = window.sector(_SECTORS)
        here, there = (_by_sector(window, mask, sector) for mask in (band, inside))
        steps = np.log(here / there)
        steps = steps[np.isfinite(steps)]
        if len(steps) < _SECTORS / 2:
            return NotJudged(cue=self.name, reason="too little of the face's edge can be seen")
        value = float(np.exp(np.median(steps)))
        return compared(self, window, value, ("edge of the face", band), ("face inside it", inside))


def _by_sector(
    window: FaceWindow, mask: NDArray[np.bool_], sector: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Fine detail of a mask in each direction from the middle; NaN where it has few pixels."""
    count = np.bincount(sector[mask], minlength=_SECTORS)
    total = np.bincount(sector[mask], window.second[mask], _SECTORS)
    mean = total / np.maximum(count, 1)
    return np.where(count >= _LEAST_IN_SECTOR, np.sqrt(mean + 0.3), np.nan)
