"""Attention rollout: attention multiplied through the layers. It does not know the classes.

Source: Abnar and Zuidema, "Quantifying Attention Flow in Transformers", arXiv 2005.00928.
"""

from __future__ import annotations

import numpy as np

from assistant.attribution.grids import attribution, patch_grid, require_attention
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["AttentionRollout"]


class AttentionRollout:
    """The class token's row of the product of (attention + identity) / 2: a baseline."""

    name = "attention-rollout"
    class_specific = False

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs attention.

        Raises:
            InferenceError: the detector gives no attention, or it is not finite.
        """
        trace, attention, _ = require_attention(
            detector, crop, trace, method=self.name, gradient=False
        )
        eye = np.eye(attention.shape[-1])
        flow = eye
        for layer in attention:
            flow = (layer.mean(axis=0) + eye) / 2 @ flow
        row = flow[: trace.prefix].mean(axis=0)
        return attribution(
            patch_grid(row, trace), crop, method=self.name, class_specific=False, signed=False
        )
