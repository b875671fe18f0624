"""Whether the eyes of a face can be seen, or something lies over them.

A face finder lays points into dark glasses and behind hands as well, so the pixels are asked: each
eye is compared with the average of 156 eyes, and its brighter parts with the cheek below it. On the
78 pictures of 26 sources that the average was made from, the one pair of sunglasses reached 15 % of
an open eye, drawn glasses at most 41 % and hands 19 %; open eyes, behind clear glasses too, at
least 56 %.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.types import Image

__all__ = ["EYES_SEEN", "eyes_seen"]

#: Percent of an open eye under which the eyes count as covered.
EYES_SEEN = 50.0

# The average left eye, brow side up, without its mean: 10 rows of 14.
_EYE = np.array(
    [
        [5, 4, 4, 4, 2, 1, -1, -3, -4, -4, -2, 1, 5, 11],
        [4, 2, 3, 3, 1, 0, -2, -3, -5, -5, -3, -2, 1, 6],
        [2, 1, 0, -2, -3, -5, -6, -8, -8, -7, -4, -3, -1, 3],
        [0, -4, -6, -9, -10, -12, -13, -13, -12, -9, -6, -4, -1, 2],
        [-4, -8, -11, -13, -15, -17, -19, -16, -13, -12, -9, -4, -1, 3],
        [-6, -10, -11, -10, -12, -15, -16, -13, -8, -8, -8, -4, 1, 4],
        [-2, -5, -4, -3, -6, -7, -7, -5, -2, -2, -2, 1, 5, 6],
        [5, 3, 4, 4, 3, 3, 2, 3, 4, 4, 5, 8, 10, 9],
        [12, 11, 11, 9, 8, 8, 7, 7, 7, 8, 10, 12, 14, 12],
        [17, 17, 16, 14, 13, 12, 11, 11, 12, 14, 16, 17, 15, 16],
    ],
    np.float32,
)
_HALF = (0.11, 0.075)  # half the width and height of the patch, in shares of the crop
_SHIFTS = (-0.03, 0.0, 0.03)
_LIKE, _BRIGHT = 0.8, 0.8  # likeness and brightness of an open eye
_LEAST_CHEEK = 20.0  # of 255: on darker skin the picture's noise would decide

Grey = NDArray[np.float32]


def eyes_seen(crop: Image) -> float:
    """How much of an open eye the better seen of both eyes is, in percent.

    Args:
        crop: the face aligned to the template with ``CropSpec(size=128, scale=1.0)``, RGB uint8.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sides = (grey, np.ascontiguousarray(grey[:, ::-1]))  # the right eye as a left one
    like = max(_likeness(side) for side in sides)
    bright = max(_brightness(side) for side in sides)
    return 100.0 * float(np.clip(min(like / _LIKE, bright / _BRIGHT), 0.0, 1.0))


def _likeness(grey: Grey) -> float:
    """The largest correlation with the average eye near where the template puts the left eye."""
    best = -1.0
    for across in _SHIFTS:
        for down in _SHIFTS:
            patch = _part(grey, 0.34 + across, 0.46 + down, *_HALF)
            small = cv2.resize(patch, _EYE.shape[::-1], interpolation=cv2.INTER_AREA)
            small = small - small.mean()
            weight = float(np.linalg.norm(small) * np.linalg.norm(_EYE))
            if weight > 1.0:
                best = max(best, float((small * _EYE).sum()) / weight)
    return best


def _brightness(grey: Grey) -> float:
    """The brighter parts of the left eye and what is around it, over the cheek below."""
    cheek = float(np.median(_part(grey, 0.33, 0.66, 0.07, 0.06)))
    return float(np.percentile(_part(grey, 0.34, 0.46, 0.10, 0.08), 70)) / max(cheek, _LEAST_CHEEK)


def _part(grey: Grey, x: float, y: float, half_width: float, half_height: float) -> Grey:
    side = grey.shape[0]
    rows = slice(int((y - half_height) * side), int((y + half_height) * side))
    return grey[rows, int((x - half_width) * side) : int((x + half_width) * side)]
