"""A face with its surroundings: the pixels of the picture around it, neither turned nor enlarged.

Aligning a face resamples it, and a tight crop leaves out hair and background. What a generator of
whole pictures leaves is in both, so it is looked for here.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.types import Image

__all__ = ["SIDE", "surroundings"]

#: The longest side of the window, in pixels; a larger face is shrunk to it.
SIDE = 256
_LEAST = 64


def surroundings(frame: Image, landmarks: NDArray[np.floating]) -> Image | None:
    """The square around a face that FFHQ's crops show, as far as the picture goes.

    Centre and size follow Karras et al. (arXiv 1812.04948, the script that made FFHQ); the square
    is upright, and its full side is at most :data:`SIDE` pixels (shrunk by area where it is more).

    Args:
        frame: RGB uint8 HWC.
        landmarks: 5 x 2 (x, y) in pixels of ``frame``: eyes, nose tip, mouth corners.

    Returns:
        RGB uint8, H and W at most :data:`SIDE`; None where less than 64 pixels are there.
    """
    points = np.asarray(landmarks, np.float64)
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    apart, down = points[1] - points[0], mouth - eyes
    half = max(2.0 * float(np.hypot(*apart)), 1.8 * float(np.hypot(*down)))
    centre = eyes + 0.1 * down
    if not np.isfinite(half) or half < 1.0:
        return None
    rows, columns = frame.shape[:2]
    x0, x1 = max(0, round(centre[0] - half)), min(columns, round(centre[0] + half))
    y0, y1 = max(0, round(centre[1] - half)), min(rows, round(centre[1] + half))
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    window = frame[y0:y1, x0:x1]
    shrink = SIDE / (2.0 * half)
    if shrink < 1.0:
        size = (
            max(1, min(SIDE, round((x1 - x0) * shrink))),
            max(1, min(SIDE, round((y1 - y0) * shrink))),
        )
        window = np.asarray(cv2.resize(window, size, interpolation=cv2.INTER_AREA), np.uint8)
    elif max(window.shape[:2]) > SIDE:
        window = window[:SIDE, :SIDE]
    return None if min(window.shape[:2]) < _LEAST else np.ascontiguousarray(window)
