"""Similarity alignment of a face to the five-point template (eyes, nose tip, mouth corners).

The template and the scale formula are those of DeepfakeBench and GenD (arXiv 2508.06248). Every
crop the project trains on, evaluates on and scores is made here.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.types import CropSpec

__all__ = ["TEMPLATE", "align", "similarity", "template_points"]

#: Left eye, right eye, nose tip, left and right mouth corner (viewer's sides), in the unit square.
TEMPLATE = np.array(
    [[0.34, 0.46], [0.66, 0.46], [0.50, 0.64], [0.37, 0.82], [0.63, 0.82]], dtype=np.float64
)


def template_points(spec: CropSpec) -> NDArray[np.float64]:
    """Where the five template points lie in a crop, 5 x 2 pixels."""
    centred = (TEMPLATE * spec.size + (spec.scale - 1.0) * spec.size / 2.0) / spec.scale
    points: NDArray[np.float64] = centred + np.array([0.0, spec.shift_y * spec.size])
    return points


def similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Least-squares similarity transform (Umeyama 1991, no reflection).

    Args:
        source: N x 2 points.
        target: N x 2 points.

    Returns:
        2 x 3 matrix that maps ``source`` onto ``target``.

    Raises:
        ValueError: the source points coincide.
    """
    src, dst = np.asarray(source, np.float64), np.asarray(target, np.float64)
    src_mean, dst_mean = src.mean(0), dst.mean(0)
    src_c, dst_c = src - src_mean, dst - dst_mean
    variance = (src_c**2).sum() / len(src)
    if not np.isfinite(variance) or variance < 1e-12:
        raise ValueError("the landmarks coincide: no similarity transform fits them")
    u, s, vt = np.linalg.svd(dst_c.T @ src_c / len(src))
    sign = np.ones(2)
    if np.linalg.det(u) * np.linalg.det(vt) < 0:
        sign[-1] = -1
    rotation = u @ np.diag(sign) @ vt
    factor = (s * sign).sum() / variance
    return np.hstack([factor * rotation, (dst_mean - factor * rotation @ src_mean)[:, None]])


def align(
    image: NDArray[np.uint8], landmarks: NDArray[np.floating], spec: CropSpec
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Warp a face into the template.

    Args:
        image: RGB uint8 HWC.
        landmarks: 5 x 2 (x, y) in pixels of ``image``, in the template's order.
        spec: the crop to make.

    Returns:
        The crop (RGB uint8, ``spec.size`` x ``spec.size``) and the 2 x 3 matrix from image to crop
        pixels. What lies outside the picture is mirrored (``spec.published``: black).

    Raises:
        ValueError: no similarity transform fits the points.
    """
    if spec.published:
        return _align_as_published(image, landmarks, spec)
    matrix = similarity(landmarks, template_points(spec))
    factor = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    source: NDArray[Any] = image
    to_source = np.eye(3)
    if factor < 0.5:  # shrink in steps by area first: a warp alone would alias
        ratio = max(2.0 * factor, 1.0 / max(image.shape[:2]))
        width = max(1, round(image.shape[1] * ratio))
        height = max(1, round(image.shape[0] * ratio))
        source = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        rx, ry = width / image.shape[1], height / image.shape[0]
        to_source = np.array([[rx, 0, (rx - 1) / 2], [0, ry, (ry - 1) / 2], [0, 0, 1]])
    warp = (np.vstack([matrix, [0, 0, 1]]) @ np.linalg.inv(to_source))[:2]
    crop = cv2.warpAffine(
        source,
        warp,
        (spec.size, spec.size),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.ascontiguousarray(crop), matrix


def _align_as_published(
    image: NDArray[np.uint8], landmarks: NDArray[np.floating], spec: CropSpec
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The crop of the released detectors: least median of squares, bilinear, black borders."""
    points = np.asarray(landmarks, np.float32)
    found = cv2.estimateAffinePartial2D(
        points, template_points(spec).astype(np.float32), method=cv2.LMEDS
    )[0]
    if found is None or not np.isfinite(found).all():
        raise ValueError("the landmarks coincide: no similarity transform fits them")
    crop = cv2.warpAffine(image, found, (spec.size, spec.size), flags=cv2.INTER_LINEAR)
    return np.ascontiguousarray(crop), found.astype(np.float64)
