"""Augmentation of training crops, as in arXiv 2503.19683, plus downscaling, sharpening and noise.

Published: mirror 0.5; affine 10 degrees, 10 %, 0.9 to 1.1; blur 7 with 0.1; jitter 0.1; JPEG 40 to
100; sharpening and noise are off unless asked for. The same changes meet real and manipulated
faces, so that none of them can tell the classes apart.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assistant.evaluation.config_file import Strict
from assistant.types import Image

__all__ = ["Augmentation", "augment", "noisy", "recompressed"]


class Augmentation(Strict):
    """How often and how far a crop is changed; the defaults are the published ones."""

    mirror: float = Field(default=0.5, ge=0, le=1, description="share of mirrored crops")
    affine: float = Field(default=1.0, ge=0, le=1, description="share of moved crops")
    degrees: float = Field(default=10.0, ge=0, le=90)
    shift: float = Field(default=0.1, ge=0, le=0.5, description="of the side")
    scale: float = Field(default=0.1, ge=0, lt=1, description="0.1: 0.9 to 1.1")
    blur: float = Field(default=0.1, ge=0, le=1, description="share of blurred crops")
    downscale: float = Field(default=0.2, ge=0, le=1, description="share of shrunk crops")
    sharpen: float = Field(default=0.0, ge=0, le=1, description="share of sharpened crops")
    noise: float = Field(default=0.0, ge=0, le=1, description="share of noisy crops")
    jitter: float = Field(default=0.1, ge=0, lt=1, description="of brightness and contrast")
    jpeg: float = Field(default=1.0, ge=0, le=1, description="share of recompressed crops")
    jpeg_quality: tuple[int, int] = (40, 100)


def augment(
    crop: Image,
    rng: np.random.Generator,
    how: Augmentation | None = None,
    mask: NDArray[np.float32] | None = None,
) -> tuple[Image, NDArray[np.float32] | None]:
    """A changed copy of an RGB uint8 crop, of the same size, and its mask moved along.

    Every choice is drawn from ``rng``; ``mask`` is H x W in [0, 1].
    """
    how = how or Augmentation()
    out, moved = crop, mask
    if rng.random() < how.mirror:
        out = crop[:, ::-1]
        moved = None if mask is None else mask[:, ::-1]
    if rng.random() < how.affine:
        out, moved = _moved(out, moved, rng, how)
    changed = np.ascontiguousarray(out)
    height, width = crop.shape[:2]
    if rng.random() < how.blur:
        changed = np.asarray(cv2.GaussianBlur(changed, (7, 7), 0), np.uint8)
    if rng.random() < how.downscale:
        share = float(rng.uniform(0.4, 0.9))
        small = cv2.resize(changed, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        back = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        changed = np.asarray(back, np.uint8)
    if how.sharpen and rng.random() < how.sharpen:
        soft = cv2.GaussianBlur(changed, (0, 0), float(rng.uniform(0.6, 1.5)))
        amount = float(rng.uniform(0.2, 1.2))
        changed = np.asarray(cv2.addWeighted(changed, 1.0 + amount, soft, -amount, 0.0), np.uint8)
    if how.noise and rng.random() < how.noise:
        changed = noisy(changed, rng, (1.0, 7.0))
    if how.jitter:
        bright, contrast = rng.uniform(1 - how.jitter, 1 + how.jitter, 2)
        tint = rng.uniform(1 - how.jitter / 2, 1 + how.jitter / 2, 3)
        mean = float(changed.mean())
        light = ((changed.astype(np.float32) - mean) * contrast + mean) * bright * tint
        changed = np.clip(np.rint(light), 0, 255).astype(np.uint8)
    if rng.random() < how.jpeg:
        changed = recompressed(changed, rng, how.jpeg_quality)
    return np.ascontiguousarray(changed), moved


def noisy(crop: Image, rng: np.random.Generator, sigmas: tuple[float, float]) -> Image:
    """An RGB uint8 crop with Gaussian noise of a deviation between the two, in levels of 255."""
    grain = rng.normal(0.0, float(rng.uniform(*sigmas)), crop.shape)
    return np.clip(np.rint(crop + grain), 0, 255).astype(np.uint8)


def recompressed(crop: Image, rng: np.random.Generator, qualities: tuple[int, int]) -> Image:
    """An RGB uint8 crop as a JPEG file of a quality between the two gives it back."""
    low, high = qualities
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(low, high + 1))]
    _, data = cv2.imencode(".jpg", crop[..., ::-1], quality)
    decoded = np.asarray(cv2.imdecode(np.asarray(data), cv2.IMREAD_COLOR), np.uint8)
    return decoded[..., ::-1]


def _moved(
    crop: Image,
    mask: NDArray[np.float32] | None,
    rng: np.random.Generator,
    how: Augmentation,
) -> tuple[Image, NDArray[np.float32] | None]:
    height, width = crop.shape[:2]
    matrix = cv2.getRotationMatrix2D(
        (width / 2, height / 2),
        float(rng.uniform(-how.degrees, how.degrees)),
        float(rng.uniform(1 - how.scale, 1 + how.scale)),
    )
    matrix[:, 2] += rng.uniform(-how.shift, how.shift, 2) * (width, height)
    size, border = (width, height), cv2.BORDER_REFLECT_101
    moved = cv2.warpAffine(np.ascontiguousarray(crop), matrix, size, borderMode=border)
    if mask is None:
        return np.asarray(moved, np.uint8), None
    along = cv2.warpAffine(np.ascontiguousarray(mask), matrix, size, borderMode=border)
    return np.asarray(moved, np.uint8), np.asarray(along, np.float32)
