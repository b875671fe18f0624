"""Occlusion: how the score falls when a window of the face is blurred away.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", arXiv 1311.2901.
It needs scores only, so it serves every detector; it costs one score a window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.grids import attribution
from assistant.edits import softened
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["Occlusion", "blurred"]


def blurred(crop: Image, *, share: float = 0.07) -> Image:
    """The crop with all detail gone but its colours kept: a Gaussian of ``share`` of its side."""
    return softened(crop, max(1.0, share * min(crop.shape[:2])))


class Occlusion:
    """Mean fall of the logit over the windows that cover a cell; windows overlap by half.

    Args:
        cells: the map's grid has ``cells`` x ``cells`` cells; a window covers 2 x 2 of them, so
            (cells - 1)^2 crops are scored.
    """

    name = "occlusion"
    class_specific = True

    def __init__(self, cells: int = 8) -> None:
        if cells < 2:
            raise ValueError(f"expected at least 2 cells, got {cells}")
        #: How many crops a map scores: what repeats maps leaves such methods out.
        self.scores = (cells - 1) ** 2 + 1
        self._cells = cells

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs scores only.

        Raises:
            InferenceError: a score is not finite.
        """
        cells = self._cells
        height, width = crop.shape[:2]
        rows = np.linspace(0, height, cells + 1).round().astype(int)
        cols = np.linspace(0, width, cells + 1).round().astype(int)
        soft = blurred(crop)
        corners = [(r, c) for r in range(cells - 1) for c in range(cells - 1)]
        crops = [crop]
        for r, c in corners:
            hidden = crop.copy()
            window = slice(rows[r], rows[r + 2]), slice(cols[c], cols[c + 2])
            hidden[window] = soft[window]
            crops.append(hidden)
        logits = detector.logits(crops)
        falls = logits[0] - logits[1:]
        return attribution(_spread(falls, corners, cells), crop, method=self.name)


def _spread(
    falls: NDArray[np.float64], corners: list[tuple[int, int]], cells: int
) -> NDArray[np.float64]:
    total = np.zeros((cells, cells))
    count = np.zeros((cells, cells))
    for fall, (r, c) in zip(falls, corners, strict=True):
        total[r : r + 2, c : c + 2] += fall
        count[r : r + 2, c : c + 2] += 1
    return total / count
