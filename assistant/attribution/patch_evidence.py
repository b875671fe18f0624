"""Patch evidence: the read-out's own logit of every patch.

Where a detector's read-out scores patches and pools them (trained with the exact masks of blended
faces), these scores are its reason, and the map only shows them.
"""

from __future__ import annotations

import numpy as np

from assistant.attribution.grids import attribution, require_patch_logits
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["PatchEvidence"]


class PatchEvidence:
    """Sigmoid of each patch's logit, less that of the face's median patch."""

    name = "patch-evidence"
    class_specific = True
    #: The detector's read-out must give each patch a logit of its own.
    needs_patch_scores = True

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; needs a read-out that scores patches.

        Raises:
            InferenceError: the detector does not score patches, or a score is not finite.
        """
        trace, scores = require_patch_logits(detector, crop, trace, method=self.name)
        share = 1.0 / (1.0 + np.exp(-np.asarray(scores, np.float64)))
        values = (share - np.median(share)).reshape(trace.grid)
        return attribution(values, crop, method=self.name)
