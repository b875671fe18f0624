"""LeGrad: the gradient of the score with respect to the attention itself.

Source: Bousselham et al., "LeGrad: An Explainability Method for Vision Transformers via Feature
Formation Sensitivity", arXiv 2404.03214.
"""

from __future__ import annotations

import numpy as np

from assistant.attribution.grids import attribution, patch_grid, require_attention
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["LeGrad"]


class LeGrad:
    """Mean over layers, heads and queries of the positive part of d logit / d attention.

    Args:
        last: how many of the last blocks to look at, None: all. The backward pass ends at the
            lowest of them, so fewer blocks make a cheaper map.
    """

    name = "legrad"
    class_specific = True

    def __init__(self, last: int | None = 4) -> None:
        self._last = last

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs attention gradients.

        Raises:
            InferenceError: the detector gives no attention gradients, or they are not finite.
        """
        trace, _, gradient = require_attention(
            detector, crop, trace, method=self.name, gradient=True, last=self._last
        )
        keys = np.maximum(gradient, 0.0).mean(axis=(0, 1, 2))
        return attribution(patch_grid(keys, trace), crop, method=self.name, signed=False)
