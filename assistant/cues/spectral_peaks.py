"""Has the face's spectrum the peaks that up-sampling leaves? A statistic that no eye sees."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from assistant.cues.cue import Reading, compared
from assistant.cues.spectrum import residual_power
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["SpectralPeaks"]


class SpectralPeaks:
    """Height of spectral peaks at a half, a quarter and an eighth of the sampling rate."""

    name: ClassVar[str] = "spectral-peaks"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = False
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {QualityIssue.BLURRED, QualityIssue.COMPRESSED}
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Mean height over what lies around the peaks, in decibels."""
        found = residual_power(window)
        if found is None:
            return NotJudged(cue=self.name, reason="the face is too small")
        power, mask = found
        around = cv2.blur(power.astype(np.float32), (9, 9), borderType=cv2.BORDER_REFLECT)
        rise = power - around
        places = [at for k in (16, 32, 64) for at in ((k, 0), (0, k), (k, k))]
        height = float(np.mean([rise[at] for at in places]))
        value = 10.0 * height / float(np.log(10.0))
        return compared(
            self,
            window,
            value,
            ("peaks in the spectrum", mask),
            ("spectrum around them", mask),
            quantity="fine structure",
            unit="dB",
        )
