"""Self-blended faces: a real face blended with a changed copy of itself, with the exact mask.

Written from the paper: Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images",
CVPR 2022 (arXiv 2204.08376). The two copies differ in colour or sharpness and by a small shift, so
that only the traces of blending tell the result from the original.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.types import Image

__all__ = ["BLEND_RATIOS", "face_hull", "self_blend"]

#: How strongly the source is laid over the target; 1 counts threefold (paper, section 3.2).
BLEND_RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)

Floats = NDArray[np.float32]


def self_blend(
    crop: Image,
    landmarks: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    ratios: tuple[float, ...] = BLEND_RATIOS,
) -> tuple[Image, Floats]:
    """Blend a real face with a changed copy of itself.

    ``crop``: RGB uint8 H x W x 3; ``landmarks``: the five points (5 x 2) or a dense set (N x 2, N >
    5), in pixels of ``crop``; ``ratios``: one is drawn as the blend ratio.

    Returns:
        The blended face, like ``crop``, and the mask, float32 H x W in [0, 1]: the share of the
        copy in every pixel (0 where the pixel is untouched).

    Raises:
        ValueError: the landmarks are no N x 2 points, or the hull lies outside the crop.
    """
    hull = face_hull(crop.shape[:2], landmarks, rng)
    source, target = crop, crop
    if rng.random() < 0.5:
        source = _change(source, rng)
    else:
        target = _change(target, rng)
    source, hull = _shift(source, hull, rng)
    mask = _soften(_bend(hull, rng), rng) * float(rng.choice(ratios))
    if float(mask.max()) <= 0:
        raise ValueError("the face's hull does not lie inside the crop")
    weight = mask[..., None]
    mixed = weight * source.astype(np.float32) + (1.0 - weight) * target.astype(np.float32)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8), mask


def face_hull(
    shape: tuple[int, int], landmarks: NDArray[np.floating], rng: np.random.Generator
) -> Floats:
    """The face's hull as a float32 mask (0 or 1), of a randomly drawn kind.

    Dense points: their convex hull, the hull of the lower or of the inner face. Five points: an
    ellipse laid through eyes and mouth, whole or without the forehead.

    Raises:
        ValueError: the landmarks are no N x 2 points with N >= 5.
    """
    points = np.asarray(landmarks, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 5:
        raise ValueError(f"expected N x 2 landmarks with N >= 5, got {points.shape}")
    mask = np.zeros(shape, np.float32)
    if len(points) == 5:
        outline = _ellipse(points, rng)
    else:
        outline = points
        kind = rng.integers(3)
        middle = np.median(points, axis=0)
        if kind == 1:
            outline = points[points[:, 1] > np.quantile(points[:, 1], 0.3)]
        elif kind == 2:
            outline = middle + (points - middle) * rng.uniform(0.7, 0.9)
    hull = cv2.convexHull(np.rint(outline).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1.0)
    return mask


def _ellipse(points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Points around the face, from the five: eyes, nose tip, mouth corners."""
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    down = mouth - eyes
    height = max(float(np.hypot(*down)), 1e-6)
    down = down / height
    across = np.array([-down[1], down[0]])
    half_width = max(float(np.hypot(*(points[1] - points[0]))), 0.6 * height) * rng.uniform(
        0.8, 1.05
    )
    up, low = height * rng.uniform(0.35, 0.9), height * rng.uniform(0.4, 0.62)
    centre = eyes + down * height * 0.45
    angle = np.linspace(0.0, 2 * np.pi, 72, endpoint=False)
    vertical = np.where(np.sin(angle) < 0, 0.45 * height + up, 0.55 * height + low) * np.sin(angle)
    outline: NDArray[np.float64] = (
        centre + np.outer(half_width * np.cos(angle), across) + np.outer(vertical, down)
    )
    return outline


def _change(image: Image, rng: np.random.Generator) -> Image:
    """Another colour, then another sharpness."""
    changed = image.astype(np.float32)
    changed += rng.uniform(-20, 20, 3).astype(np.float32)  # one shift a channel
    changed = (changed - 128) * (1 + rng.uniform(-0.1, 0.1)) + 128 + 255 * rng.uniform(-0.1, 0.1)
    hsv = cv2.cvtColor(np.clip(changed, 0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV)
    shifted = hsv.astype(np.int16) + np.rint(
        rng.uniform(-1, 1, 3) * np.array([0.3 * 10, 0.3 * 100, 0.3 * 100])
    ).astype(np.int16)
    shifted[..., 0] %= 180
    out = cv2.cvtColor(np.clip(shifted, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    height, width = image.shape[:2]
    if rng.random() < 0.5:
        by = int(rng.choice([2, 4]))
        small = cv2.resize(
            out, (max(1, width // by), max(1, height // by)), interpolation=cv2.INTER_NEAREST
        )
        out = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        blurred = cv2.GaussianBlur(out, (0, 0), 1.5)
        amount = float(rng.uniform(0.2, 0.5))
        out = cv2.addWeighted(out, 1 + amount, blurred, -amount, 0)
    result: Image = np.asarray(out, np.uint8)
    return result


def _shift(image: Image, mask: Floats, rng: np.random.Generator) -> tuple[Image, Floats]:
    """The same small move and scale for picture and mask."""
    height, width = mask.shape
    scale = rng.uniform(0.95, 1.05)
    move = (rng.uniform(-0.03, 0.03) * width, rng.uniform(-0.015, 0.015) * height)
    centre = (width / 2.0, height / 2.0)
    matrix = np.array(
        [
            [scale, 0, (1 - scale) * centre[0] + move[0]],
            [0, scale, (1 - scale) * centre[1] + move[1]],
        ]
    )
    moved = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.uint8), cv2.warpAffine(mask, matrix, (width, height))


def _bend(mask: Floats, rng: np.random.Generator) -> Floats:
    """Elastic deformation (Simard 2003): smooth random shifts."""
    height, width = mask.shape
    sigma = 0.03 * width
    strength = 0.2 * width
    field = rng.uniform(-1, 1, (2, height, width)).astype(np.float32)
    dx, dy = (cv2.GaussianBlur(part, (0, 0), sigma) * strength for part in field)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    bent: Floats = cv2.remap(mask, x + dx, y + dy, cv2.INTER_LINEAR)
    return bent


def _soften(mask: Floats, rng: np.random.Generator) -> Floats:
    """Blur, tighten and blur again: an edge of random softness that ends inside the hull."""
    first, second = (int(rng.integers(5, 26)) | 1 for _ in range(2))
    soft = cv2.GaussianBlur(mask, (first, first), 0)
    soft = np.where(soft < 1.0 - 1e-3, 0.0, 1.0).astype(np.float32)
    soft = cv2.GaussianBlur(soft, (second, second), 0)
    out: Floats = np.clip(soft, 0.0, 1.0).astype(np.float32)
    return out
