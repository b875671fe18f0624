"""Is fine colour as strong in the skin, beside fine brightness, as in genuine faces?"""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from assistant.cues.cue import Reading, compared, detail
from assistant.cues.window import FaceWindow
from assistant.types import QualityIssue

__all__ = ["ColourNoise"]


class ColourNoise:
    """Fine colour over fine brightness of the skin: high where brightness was smoothed.

    Both places are the skin, so that tight crops can be judged.
    """

    name: ClassVar[str] = "colour-noise"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = False
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {QualityIssue.GREYSCALE, QualityIssue.BLURRED}
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Root mean square of second differences of a*b* over that of brightness."""
        skin = window.skin
        fine = sum(np.square(cv2.Laplacian(window.lab[..., c], cv2.CV_32F)) for c in (1, 2))
        value = float(np.sqrt(np.asarray(fine)[skin].mean() + 0.02)) / detail(window, skin)
        return compared(
            self, window, value, ("colour of the skin", skin), ("brightness of the skin", skin)
        )
