"""Maps of a transformer's attention. Raw attention and rollout do not know the classes: baselines.

Sources: Bousselham et al., "LeGrad", arXiv 2404.03214; Chefer et al., "Generic Attention-model
Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers", arXiv 2103.15679; Abnar
and Zuidema, "Quantifying Attention Flow in Transformers", arXiv 2005.00928.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.grids import attribution, patch_grid, require_attention
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["AttentionRollout", "GradientAttention", "LeGrad", "RawAttention"]


class _OfAttention:
    """``last``: how many of the last blocks are looked at, None: all (each costs a backward)."""

    name: str
    class_specific = True
    _last: int | None = None

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs attention, and its gradients where ``class_specific``.

        Raises:
            InferenceError: the detector gives none of these, or they are not finite.
        """
        trace, attention, gradient = require_attention(
            detector,
            crop,
            trace,
            method=self.name,
            gradient=self.class_specific,
            last=self._last,
        )
        return attribution(
            patch_grid(self._tokens(attention, gradient, trace.prefix), trace),
            crop,
            method=self.name,
            class_specific=self.class_specific,
            signed=False,
        )

    def _tokens(
        self, attention: NDArray[np.float32], gradient: NDArray[np.float32], prefix: int
    ) -> NDArray[np.floating]:
        """A value a token, of layers x heads x queries x keys."""
        raise NotImplementedError


class LeGrad(_OfAttention):
    """Mean over layers, heads and queries of the positive part of d logit / d attention."""

    name = "legrad"

    def __init__(self, last: int | None = 4) -> None:
        self._last = last

    def _tokens(
        self, attention: NDArray[np.float32], gradient: NDArray[np.float32], prefix: int
    ) -> NDArray[np.floating]:
        return np.asarray(np.maximum(gradient, 0.0).mean(axis=(0, 1, 2)))


class GradientAttention(_OfAttention):
    """``R <- R + mean_heads((gradient x attention)+) R`` over the traced layers.

    The paper reads the class token's row. A detector that also reads the patches has relevance in
    their rows too, so the mean of the class token's row and of the patches' mean row is taken.
    """

    name = "gradient-attention"

    def _tokens(
        self, attention: NDArray[np.float32], gradient: NDArray[np.float32], prefix: int
    ) -> NDArray[np.floating]:
        relevance = np.zeros(attention.shape[-2:])
        eye = np.eye(attention.shape[-1])
        for step in np.maximum(attention * gradient, 0.0).mean(axis=1):
            relevance = relevance + step @ (eye + relevance)
        return np.asarray(relevance[:prefix].mean(axis=0) + relevance[prefix:].mean(axis=0))


class AttentionRollout(_OfAttention):
    """The class token's row of the product of (attention + identity) / 2."""

    name = "attention-rollout"
    class_specific = False

    def _tokens(
        self, attention: NDArray[np.float32], gradient: NDArray[np.float32], prefix: int
    ) -> NDArray[np.floating]:
        eye = flow = np.eye(attention.shape[-1])
        for layer in attention:
            flow = (layer.mean(axis=0) + eye) / 2 @ flow
        return np.asarray(flow[:prefix].mean(axis=0))


class RawAttention(_OfAttention):
    """Mean over heads of the class token's attention in the last traced block."""

    name = "raw-attention"
    class_specific = False
    _last = 1

    def _tokens(
        self, attention: NDArray[np.float32], gradient: NDArray[np.float32], prefix: int
    ) -> NDArray[np.floating]:
        return np.asarray(attention[-1, :, :prefix].mean(axis=(0, 1)))
