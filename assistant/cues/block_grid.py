"""Has the face the same JPEG blocks as the picture around it?"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["BlockGrid"]


class BlockGrid:
    """Strength of the 8-pixel block grid in the face against the ring around it.

    Only of faces that were not reduced: reducing moves the grid.
    """

    name: ClassVar[str] = "block-grid"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = False
    gates: ClassVar[frozenset[QualityIssue]] = frozenset({QualityIssue.BLURRED})

    def measure(self, window: FaceWindow) -> Reading:
        """How many times the grids' strengths differ, whichever is stronger (1: not at all)."""
        inner, ring = window.radius < 0.85, window.ring
        if window.scale != 1.0:
            return NotJudged(cue=self.name, reason="the face was reduced to be measured")
        if ring.sum() < 200:
            return NotJudged(cue=self.name, reason="too little of the picture lies around the face")
        value = math.exp(abs(math.log(_grid(window, inner) / _grid(window, ring))))
        return compared(
            self, window, value, ("face", inner), ("picture around it", ring), quantity="block grid"
        )


def _grid(window: FaceWindow, mask: NDArray[np.bool_]) -> float:
    """Steps between columns at the strongest phase of eight over the median phase."""
    steps = np.abs(np.diff(window.grey, axis=1))
    both = mask[:, 1:] & mask[:, :-1]
    phases = [steps[:, p::8][both[:, p::8]] for p in range(8)]
    means = np.array([p.mean() if len(p) else 0.0 for p in phases]) + 0.3
    return float(means.max() / np.median(means))
