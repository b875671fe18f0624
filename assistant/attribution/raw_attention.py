"""Raw attention: what the class token looks at in the last block. Same for real and manipulated."""

from __future__ import annotations

from assistant.attribution.grids import attribution, patch_grid, require_attention
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["RawAttention"]


class RawAttention:
    """Mean over heads of the class token's attention in the last traced block: a baseline."""

    name = "raw-attention"
    class_specific = False

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs attention.

        Raises:
            InferenceError: the detector gives no attention, or it is not finite.
        """
        trace, attention, _ = require_attention(
            detector, crop, trace, method=self.name, gradient=False, last=1
        )
        row = attention[-1, :, : trace.prefix].mean(axis=(0, 1))
        return attribution(
            patch_grid(row, trace), crop, method=self.name, class_specific=False, signed=False
        )
