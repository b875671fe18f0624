"""Five points that depend on the face alone, not on how its picture was framed.

A face finder's points move with what surrounds the face and with its size in the search. So the
face is warped upright into a small window that shows little more than itself, its points are found
again there, and this is repeated: points that are found where they were put no longer remember the
picture around them.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.faces.alignment import similarity, template_points
from assistant.types import CropSpec, Image

__all__ = ["WINDOW_SIDE", "settle_points"]

#: What a window shows: brow to chin in 144 pixels, as tight pictures of faces do, in a black border
#: without which a face that fills its picture is not found.
_SPEC, _BORDER = CropSpec(size=144, scale=0.85, shift_y=-0.13), 40
WINDOW_SIDE = _SPEC.size + 2 * _BORDER
_ROUNDS = 2
_FARTHEST = 0.25  # a find whose points lie farther off (of the window's crop) is another face

FindPoints = Callable[[Image], tuple[NDArray[np.floating], float] | None]


def settle_points(
    image: Image, points: NDArray[np.floating], find_points: FindPoints
) -> tuple[NDArray[np.float32], float]:
    """Find the five points again in upright windows of the face.

    Args:
        image: RGB uint8 HWC.
        points: 5 x 2 as first found, in pixels of ``image``.
        find_points: the five points of the best face in a window of ``WINDOW_SIDE`` pixels, 5 x 2,
            and their confidence in [0, 1]; or None where it finds none.

    Returns:
        5 x 2 in pixels of ``image``, the points as they were where no face, or another one, is
        found in the window; and the confidence of the last window, 0 where it shows no such face.
    """
    target = template_points(_SPEC)
    settled, certainty = np.asarray(points, np.float64), 0.0
    for _ in range(_ROUNDS):
        try:
            matrix = similarity(settled, target)
        except ValueError:  # the points coincide: there is no window
            break
        window = cv2.warpAffine(
            image,
            matrix,
            (_SPEC.size, _SPEC.size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        found = find_points(
            np.asarray(
                cv2.copyMakeBorder(
                    window, _BORDER, _BORDER, _BORDER, _BORDER, cv2.BORDER_CONSTANT, value=(0, 0, 0)
                )
            )
        )
        certainty = 0.0
        if found is None:
            break
        inside = np.asarray(found[0], np.float64) - _BORDER
        if np.linalg.norm(inside - target, axis=1).max() > _FARTHEST * _SPEC.size:
            break
        back = cv2.invertAffineTransform(matrix)
        settled, certainty = inside @ back[:, :2].T + back[:, 2], float(found[1])
    return settled.astype(np.float32), certainty
