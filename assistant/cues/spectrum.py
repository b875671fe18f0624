"""How much of the finest structure does the face hold? A statistic that no eye sees."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["Spectrum", "residual_power"]

_SIDE = 128


class Spectrum:
    """Power of the finest structure over that of middle structure, in decibels.

    Low in faces that a generator drew: up-sampling leaves the finest octave empty.
    """

    name: ClassVar[str] = "spectrum"
    sign: ClassVar[int] = -1
    visible: ClassVar[bool] = False
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {QualityIssue.BLURRED, QualityIssue.COMPRESSED}
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Mean power above 0.4 cycles a pixel over that between 0.15 and 0.3."""
        found = residual_power(window)
        if found is None:
            return NotJudged(cue=self.name, reason="the face is too small")
        power, mask = found
        step = np.fft.fftfreq(_SIDE)
        radius = np.hypot(*np.meshgrid(step, step))
        fine, middle = (radius > 0.4), (radius > 0.15) & (radius < 0.3)
        value = 10.0 * float(np.log10(np.exp(power[fine].mean() - power[middle].mean())))
        return compared(
            self,
            window,
            value,
            ("fine structure of the face", mask),
            ("middle structure of the face", mask),
            quantity="fine structure",
            unit="dB",
        )


def residual_power(window: FaceWindow) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Logarithm of the power of the residual in a square in the middle of the face."""
    height, width = window.grey.shape
    if min(height, width) < _SIDE:
        return None
    middle = window.points.mean(0) - _SIDE / 2
    x0, y0 = (int(np.clip(v, 0, n - _SIDE)) for v, n in zip(middle, (width, height), strict=True))
    patch = window.grey[y0 : y0 + _SIDE, x0 : x0 + _SIDE]
    rest = patch - cv2.medianBlur(patch.astype(np.uint8), 3).astype(np.float32)
    taper = np.outer(np.hanning(_SIDE), np.hanning(_SIDE))
    mask = np.zeros(window.grey.shape, bool)
    mask[y0 : y0 + _SIDE, x0 : x0 + _SIDE] = True
    return np.log(np.abs(np.fft.fft2(rest * taper)) ** 2 + 1.0), mask
