"""Patch lens: how much each patch, as the read-out sees it, adds to the score.

A logit lens (nostalgebraist 2020) for a classifier that reads the tokens of several blocks:
gradient x token through the read-out alone, so nothing is propagated back through the blocks and
the map costs little more than the score.
"""

from __future__ import annotations

from assistant.attribution.grids import attribution, lens, require_tokens
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["PatchLens"]


class PatchLens:
    """Sum over blocks and width of (token - mean patch token) x d logit / d token."""

    name = "patch-lens"
    class_specific = True

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs tokens and their read-out gradient.

        Raises:
            InferenceError: the detector gives no token gradients, or they are not finite.
        """
        trace, tokens, gradient = require_tokens(detector, crop, trace, method=self.name)
        return attribution(lens(trace, tokens, gradient), crop, method=self.name)
