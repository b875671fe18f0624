"""Gradient x attention, carried through the layers.

Source: Chefer et al., "Generic Attention-model Explainability for Interpreting Bi-Modal and
Encoder-Decoder Transformers", arXiv 2103.15679.
"""

from __future__ import annotations

import numpy as np

from assistant.attribution.grids import attribution, patch_grid, require_attention
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["GradientAttention"]


class GradientAttention:
    """``R <- R + mean_heads((gradient x attention)+) R`` over the traced layers.

    The paper reads the class token's row. A detector that also reads the patches has relevance in
    their rows too, so the mean of the class token's row and of the patches' mean row is taken.
    """

    name = "gradient-attention"
    class_specific = True

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs attention and its gradients.

        Raises:
            InferenceError: the detector gives no attention gradients, or they are not finite.
        """
        trace, attention, gradient = require_attention(
            detector, crop, trace, method=self.name, gradient=True
        )
        relevance = np.zeros(attention.shape[-2:])
        eye = np.eye(attention.shape[-1])
        for layer_attention, layer_gradient in zip(attention, gradient, strict=True):
            step = np.maximum(layer_attention * layer_gradient, 0.0).mean(axis=0)
            relevance = relevance + step @ (eye + relevance)
        rows = relevance[: trace.prefix].mean(axis=0) + relevance[trace.prefix :].mean(axis=0)
        return attribution(patch_grid(rows, trace), crop, method=self.name, signed=False)
