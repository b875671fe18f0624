"""Maps of what each patch adds to the score, as the read-out itself sees it.

Nothing is propagated back through the blocks, so such a map costs little more than the score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.grids import (
    attribution,
    lens,
    patch_grid,
    require_patch_logits,
    require_tokens,
)
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["GradCam", "JointEvidence", "PatchEvidence", "PatchLens"]

#: Of 0.25, 0.5 and 1 the one that keeps most of the patch logits' IoU (docs/results/maps-why.json).
_LENS_WEIGHT = 0.25


class PatchLens:
    """Sum over blocks and width of (token - mean patch token) x d logit / d token.

    A logit lens (nostalgebraist 2020) for a classifier that reads the tokens of several blocks.
    """

    name = "patch-lens"
    class_specific = True

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs tokens and their read-out gradient.

        Raises:
            InferenceError: the detector gives no token gradients, or they are not finite.
        """
        trace, tokens, gradient = require_tokens(detector, crop, trace, method=self.name)
        return attribution(lens(trace, tokens, gradient), crop, method=self.name)


class GradCam:
    """Sum over a convolutional network's last maps of map x gradient; what is negative is cut off.

    Where the head reads the mean over places, as most do, that is Grad-CAM (Selvaraju et al., arXiv
    1610.02391); where it reads each place apart, HiResCAM (Draelos et al., arXiv 2011.08891).
    """

    name = "grad-cam"
    class_specific = True

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs the last maps and the logit's gradient with respect to them.

        Raises:
            InferenceError: the detector gives none, or they are not finite.
        """
        trace, maps, gradient = require_tokens(detector, crop, trace, method=self.name)
        values = patch_grid((maps.astype(np.float64) * gradient).sum(axis=(0, 2)), trace)
        return attribution(values, crop, method=self.name)


class PatchEvidence:
    """Sigmoid of the logit that the read-out gives each patch, less that of the median patch."""

    name = "patch-evidence"
    class_specific = True
    #: The detector's read-out must give each patch a logit of its own.
    needs_patch_scores = True

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs a read-out that scores patches.

        Raises:
            InferenceError: the detector does not score patches, or a score is not finite.
        """
        scores = None if trace else getattr(detector, "score_patches", lambda _crop: None)(crop)
        if scores is None:
            trace, logits = require_patch_logits(detector, crop, trace, method=self.name)
            scores = logits.reshape(trace.grid)
        share = 1.0 / (1.0 + np.exp(-np.asarray(scores, np.float64)))
        return attribution(share - np.median(share), crop, method=self.name)


class JointEvidence:
    """Standardised patch logits, less the median's, plus a quarter of the standardised lens.

    The patch logits (taught with masks) point well but are a small part of the score; the lens
    splits the rest of it but points worse. A cell is high where they agree: a ranking of cells, not
    a sum of the score.
    """

    name = "joint-evidence"
    class_specific = True
    needs_patch_scores = True

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs a read-out that scores patches, tokens and their gradient.

        Raises:
            InferenceError: the detector gives none of these, or a value is not finite.
        """
        trace, scores = require_patch_logits(detector, crop, trace, method=self.name)
        trace, tokens, gradient = require_tokens(detector, crop, trace, method=self.name)
        logits = _standard(np.asarray(scores, np.float64).reshape(trace.grid))
        values = (
            logits - np.median(logits) + _LENS_WEIGHT * _standard(lens(trace, tokens, gradient))
        )
        return attribution(values, crop, method=self.name)


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """In units of the face's own spread; all 0 where every patch is alike."""
    spread = float(values.std())
    centred: NDArray[np.float64] = values - values.mean()
    return centred / spread if spread > 0 else centred
