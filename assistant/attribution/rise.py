"""RISE: scores of many randomly hidden copies, averaged by what each left in view.

Source: Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box Models",
arXiv 1806.07421. Hidden parts are blurred rather than blackened: black is itself a forgery to a
detector that looks for seams.
"""

from __future__ import annotations

import numpy as np

from assistant.attribution.grids import attribution, enlarge
from assistant.attribution.occlusion import blurred
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["Rise"]


class Rise:
    """Regression of the logit on which cells are in view.

    The paper averages the masks weighted by their scores; with few masks the least-squares fit
    (ridge) of the same data is far less noisy, and its limit is the same.

    Args:
        samples: crops to score.
        cells: side of the random masks' grid.
        keep: share of cells left in view.
        seed: of the masks.
    """

    name = "rise"
    class_specific = True

    def __init__(self, samples: int = 96, cells: int = 7, keep: float = 0.5, seed: int = 0) -> None:
        self._samples = samples
        #: How many crops a map scores: what repeats maps leaves such methods out.
        self.scores = samples
        self._cells = cells
        self._keep = keep
        self._seed = seed

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs scores only.

        Raises:
            InferenceError: a score is not finite.
        """
        rng = np.random.default_rng(self._seed)
        height, width = crop.shape[:2]
        masks = rng.random((self._samples, self._cells, self._cells)) < self._keep
        soft = blurred(crop).astype(np.float64)
        sharp = crop.astype(np.float64)
        crops = []
        for mask in masks:
            view = enlarge(mask.astype(np.float64), height, width)[..., None]
            crops.append((view * sharp + (1 - view) * soft).round().astype(np.uint8))
        logits = detector.logits(crops)
        seen = masks.reshape(self._samples, -1).astype(np.float64)
        seen -= seen.mean(0)
        spread = seen.T @ seen + 0.05 * self._samples * np.eye(seen.shape[1])
        effect = np.linalg.solve(spread, seen.T @ (logits - logits.mean()))
        return attribution(effect.reshape(self._cells, self._cells), crop, method=self.name)
