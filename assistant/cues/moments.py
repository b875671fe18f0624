"""What the cues over time measure in one frame: of the face and of what lies around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.types import Image

__all__ = ["VALUES", "moment_values", "surroundings"]

#: What :func:`moment_values` gives: brightness of the face and of what is around it (grey levels),
#: fine gradients at the face's edge and around it (grey levels a pixel), and the eyes' distance,
#: the nose's and the mouth's place in units of it (along and across the line of the eyes).
VALUES = ("face", "around", "edge", "ground", "nose-x", "nose-y", "mouth-x", "mouth-y", "mouth-w")
_SIDE, _REACH = 160, 6.0  # pixels of a picture; distances of the eyes that it reaches over
_INNER, _EDGE, _OUTER = 0.75, (0.85, 1.15), 1.3


def surroundings(
    frame: Image, landmarks: NDArray[np.floating]
) -> tuple[Image, NDArray[np.float64]]:
    """A face with what lies around it, upright as in the frame, and its points in that picture.

    The detector's own crop may hold the inner face alone, so it has nothing to compare with. Where
    the frame ends, its border is repeated.
    """
    eyes = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    scale = _SIDE / (_REACH * max(1.0, eyes))
    matrix = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    matrix[:, 2] = _SIDE / 2 - scale * landmarks.mean(0)
    patch = cv2.warpAffine(
        np.ascontiguousarray(frame),
        matrix,
        (_SIDE, _SIDE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(patch, np.uint8), scale * landmarks + matrix[:, 2]


def moment_values(crop: Image, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """The :data:`VALUES` of a face.

    Args:
        crop: RGB uint8 HWC, see :func:`surroundings`.
        points: the five points in its pixels, 5 x 2, the viewer's left eye first.

    Returns:
        Numbers in the order of :data:`VALUES`; NaN where nothing lies around the face.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY).astype(np.float32)
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    along = points[1] - points[0]
    apart = max(1.0, float(np.linalg.norm(along)))
    height = max(1.0, float(np.linalg.norm(mouth - eyes)))
    middle = eyes + 0.45 * (mouth - eyes)
    rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]]
    axes = 1.15 * apart, 1.6 * height
    radius = np.hypot((columns - middle[0]) / axes[0], (rows - middle[1]) / axes[1])
    steps = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    inner, outer = radius < _INNER, radius > _OUTER
    rim = (radius > _EDGE[0]) & (radius < _EDGE[1])
    unit = along / apart
    axis = np.stack([unit, [-unit[1], unit[0]]])
    nose, lips = axis @ (points[2] - eyes) / apart, axis @ (mouth - eyes) / apart
    width = float(np.linalg.norm(points[4] - points[3])) / apart
    return np.array(
        [
            *(_mean(grey, inner), _mean(grey, outer), _mean(steps, rim), _mean(steps, outer)),
            *nose,
            *lips,
            width,
        ],
        np.float64,
    )


def _mean(values: NDArray[np.floating], where: NDArray[np.bool_]) -> float:
    return float(values[where].mean()) if int(where.sum()) >= 50 else float("nan")
