"""The everyday wear of picture files: resizing, recompression by several codecs, noise, greyscale.

Genuine and manipulated pictures wear alike, so that no trace of a file tells the classes apart.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from assistant.training.augmentation import Augmentation, augment, noisy, recompressed
from assistant.types import Image

__all__ = ["worn"]

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
        out = noisy(out, rng, (1.0, 7.0))
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
        return recompressed(np.ascontiguousarray(crop), rng, (35, 95))
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
