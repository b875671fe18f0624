"""What training crops go through: augmentation, and the everyday wear of picture files.

Augmentation is that of arXiv 2503.19683 (mirror 0.5; affine 10 degrees, 10 %, 0.9 to 1.1; blur 7
with 0.1; jitter 0.1; JPEG 40 to 100) plus downscaling. Wear is resizing, recompression by several
codecs, noise, greyscale. Genuine and manipulated faces go through the same, so that no trace of a
file tells the classes apart.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pydantic import Field

from assistant.evaluation.config_file import Strict
from assistant.types import Image

__all__ = ["Augmentation", "augment", "worn"]


class Augmentation(Strict):
    """How often and how far a crop is changed; the defaults are the published ones."""

    mirror: float = Field(default=0.5, ge=0, le=1, description="share of mirrored crops")
    affine: float = Field(default=1.0, ge=0, le=1, description="share of moved crops")
    degrees: float = Field(default=10.0, ge=0, le=90)
    shift: float = Field(default=0.1, ge=0, le=0.5, description="of the side")
    scale: float = Field(default=0.1, ge=0, lt=1, description="0.1: 0.9 to 1.1")
    blur: float = Field(default=0.1, ge=0, le=1, description="share of blurred crops")
    downscale: float = Field(default=0.2, ge=0, le=1, description="share of shrunk crops")
    jitter: float = Field(default=0.1, ge=0, lt=1, description="of brightness and contrast")
    jpeg: float = Field(default=1.0, ge=0, le=1, description="share of recompressed crops")


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
    if how.jitter:
        bright, contrast = rng.uniform(1 - how.jitter, 1 + how.jitter, 2)
        tint = rng.uniform(1 - how.jitter / 2, 1 + how.jitter / 2, 3)
        mean = float(changed.mean())
        light = ((changed.astype(np.float32) - mean) * contrast + mean) * bright * tint
        changed = np.clip(np.rint(light), 0, 255).astype(np.uint8)
    if rng.random() < how.jpeg:
        changed = _recompressed(changed, rng, (40, 100))
    return np.ascontiguousarray(changed), moved


def _noisy(crop: Image, rng: np.random.Generator, sigmas: tuple[float, float]) -> Image:
    """An RGB uint8 crop with Gaussian noise of a deviation between the two, in levels of 255."""
    grain = rng.normal(0.0, float(rng.uniform(*sigmas)), crop.shape)
    return np.clip(np.rint(crop + grain), 0, 255).astype(np.uint8)


def _recompressed(crop: Image, rng: np.random.Generator, qualities: tuple[int, int]) -> Image:
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


_MOVES = Augmentation(affine=0.7, degrees=5, shift=0.03, scale=0.06, blur=0, downscale=0, jpeg=0)


def worn(
    crop: Image, mask: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Image, NDArray[np.float32]]:
    """A worn copy of an RGB uint8 H x W x 3 crop, of the same size, and its mask moved along."""
    height, width = crop.shape[:2]
    out, moved = augment(crop, rng, _MOVES, mask)
    if rng.random() < 0.4:
        share = float(rng.uniform(0.35, 0.95))
        small = cv2.resize(out, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        back = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4)[int(rng.integers(3))]
        if rng.random() < 0.5:  # a messenger compresses the smaller picture
            small = _coded(np.asarray(small, np.uint8), rng)
        out = np.asarray(cv2.resize(small, (width, height), interpolation=back), np.uint8)
    if rng.random() < 0.1:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.5))), np.uint8)
    if rng.random() < 0.15:
        out = _noisy(out, rng, (1.0, 7.0))
    if rng.random() < 0.1:
        grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)
        out = np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)
    if rng.random() < 0.7:
        out = _coded(out, rng)
    return np.ascontiguousarray(out), mask if moved is None else moved


def _coded(crop: Image, rng: np.random.Generator) -> Image:
    """As one of JPEG, WebP, AVIF or H.264 gives it back."""
    choice = rng.random()
    if choice < 0.5:
        return _recompressed(np.ascontiguousarray(crop), rng, (35, 95))
    if choice < 0.7:
        quality = [cv2.IMWRITE_WEBP_QUALITY, int(rng.integers(40, 96))]
        _, data = cv2.imencode(".webp", crop[..., ::-1], quality)
        return np.asarray(cv2.imdecode(np.asarray(data), cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    if choice < 0.75:
        buffer = io.BytesIO()
        quality_of = int(rng.integers(40, 90))
        PillowImage.fromarray(np.ascontiguousarray(crop)).save(
            buffer, "AVIF", quality=quality_of, speed=9
        )
        return np.asarray(PillowImage.open(buffer).convert("RGB"), np.uint8)
    return _filmed(np.ascontiguousarray(crop), int(rng.integers(18, 39)))


def _filmed(crop: Image, rate_factor: int) -> Image:
    """As a key frame of H.264 at a constant rate factor (18: good, 38: bad) gives it back."""
    import av

    height, width = crop.shape[0] // 2 * 2, crop.shape[1] // 2 * 2
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(rate_factor), "preset": "veryfast", "threads": "1"}
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(crop[:height, :width]), "rgb24")
        film.mux(stream.encode(frame))
        film.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer, "r") as source:
        back = next(source.decode(video=0)).to_ndarray(format="rgb24")
    out = crop.copy()
    out[:height, :width] = back
    return out
