"""Augmentation of training crops, as in arXiv 2503.19683, plus downscaling.

Mirror 0.5; affine 10 degrees, 10 %, 0.9 to 1.1; blur 7 with 0.1; jitter 0.1; JPEG 40 to 100. The
same changes meet real and manipulated faces, so that none of them can tell the classes apart.
"""

from __future__ import annotations

import cv2
import numpy as np

from assistant.types import Image

__all__ = ["augment"]


def augment(crop: Image, rng: np.random.Generator) -> Image:
    """A changed copy of an RGB uint8 crop, of the same size; every choice is drawn from ``rng``."""
    height, width = crop.shape[:2]
    out = crop[:, ::-1] if rng.random() < 0.5 else crop
    matrix = cv2.getRotationMatrix2D(
        (width / 2, height / 2), float(rng.uniform(-10, 10)), float(rng.uniform(0.9, 1.1))
    )
    matrix[:, 2] += rng.uniform(-0.1, 0.1, 2) * (width, height)
    changed = cv2.warpAffine(
        np.ascontiguousarray(out), matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    if rng.random() < 0.1:
        changed = cv2.GaussianBlur(changed, (7, 7), 0)
    if rng.random() < 0.2:
        share = float(rng.uniform(0.4, 0.9))
        small = cv2.resize(changed, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        changed = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    bright, contrast = rng.uniform(0.9, 1.1, 2)
    tint = rng.uniform(0.95, 1.05, 3)
    mean = float(changed.mean())
    light = ((changed.astype(np.float32) - mean) * contrast + mean) * bright * tint
    changed = np.clip(np.rint(light), 0, 255).astype(np.uint8)
    quality = int(rng.integers(40, 101))
    _, data = cv2.imencode(".jpg", changed[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(np.asarray(data), cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
