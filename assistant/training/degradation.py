"""What pictures suffer on their way: shrinking, blur, sensor noise, recompression, in this order.

A read-out that saw every face in its first quality only takes a blurred fake for a real face. Both
classes suffer alike.
"""

from __future__ import annotations

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from assistant.training.augmentation import noisy, recompressed
from assistant.types import Image

__all__ = ["Degradation", "degrade"]


class Degradation(BaseModel):
    """How often a crop suffers from what, and how much; each is drawn on its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    downscale: float = Field(default=0.4, ge=0, le=1, description="share of shrunk crops")
    downscale_to: tuple[float, float] = Field(default=(0.25, 0.9), description="of the side")
    blur: float = Field(default=0.35, ge=0, le=1, description="share of blurred crops")
    blur_sigma: tuple[float, float] = Field(default=(0.4, 2.0), description="pixels")
    noise: float = Field(default=0.25, ge=0, le=1, description="share of noisy crops")
    noise_sigma: tuple[float, float] = Field(default=(2.0, 12.0), description="levels of 255")
    jpeg: float = Field(default=0.4, ge=0, le=1, description="share of recompressed crops")
    jpeg_quality: tuple[int, int] = (35, 95)


def degrade(crop: Image, rng: np.random.Generator, how: Degradation) -> Image:
    """A worse copy of an RGB uint8 crop, of the same size; every choice is drawn from ``rng``."""
    height, width = crop.shape[:2]
    out = crop
    if rng.random() < how.downscale:
        share = float(rng.uniform(*how.downscale_to))
        small = cv2.resize(out, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        back = (cv2.INTER_CUBIC, cv2.INTER_LINEAR)[int(rng.integers(2))]
        out = np.asarray(cv2.resize(small, (width, height), interpolation=back), np.uint8)
    if rng.random() < how.blur:
        sigma = float(rng.uniform(*how.blur_sigma))
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), sigma), np.uint8)
    if rng.random() < how.noise:
        out = noisy(out, rng, how.noise_sigma)
    if rng.random() < how.jpeg:
        out = recompressed(out, rng, how.jpeg_quality)
    return np.ascontiguousarray(out)
