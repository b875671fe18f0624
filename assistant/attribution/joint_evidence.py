"""Joint evidence: where patches look manipulated, and where they move the score.

The read-out's own patch logits (taught with masks) point well but are a small part of the score;
the patch lens splits the rest of it but points worse. Both are put on one scale within the face and
added, so that a cell is high where they agree. It is a ranking of cells, not a sum of the score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.grids import attribution, lens, require_patch_logits, require_tokens
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["JointEvidence"]

#: Of 0.25, 0.5 and 1 the one that keeps most of the patch logits' IoU (docs/results/maps-why.json).
_LENS_WEIGHT = 0.25


class JointEvidence:
    """Standardised patch logits, less the median's, plus a quarter of the standardised lens."""

    name = "joint-evidence"
    class_specific = True
    #: The detector's read-out must give each patch a logit of its own.
    needs_patch_scores = True

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs a read-out that scores patches, tokens and their gradient.

        Raises:
            InferenceError: the detector does not score patches or gives no token gradients, or a
                value is not finite.
        """
        trace, scores = require_patch_logits(detector, crop, trace, method=self.name)
        trace, tokens, gradient = require_tokens(detector, crop, trace, method=self.name)
        evidence = _standard(np.asarray(scores, np.float64).reshape(trace.grid))
        values = (
            evidence - np.median(evidence) + _LENS_WEIGHT * _standard(lens(trace, tokens, gradient))
        )
        return attribution(values, crop, method=self.name)


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """In units of the face's own spread; all 0 where every patch is alike."""
    spread = float(values.std())
    centred: NDArray[np.float64] = values - values.mean()
    return centred / spread if spread > 0 else centred
