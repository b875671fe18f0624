"""Changes that pictures go through: coded anew, shrunk, softened, moved. RGB uint8 HWC."""

from __future__ import annotations

import numpy as np

from assistant.types import Image

__all__ = ["coded", "greyed", "mirrored", "moved", "noisy", "shrunk", "softened"]


def coded(image: Image, quality: int, extension: str = ".jpg") -> Image:
    """Written and read again as JPEG (or ``.webp``) of this quality."""
    import cv2

    option = cv2.IMWRITE_WEBP_QUALITY if extension == ".webp" else cv2.IMWRITE_JPEG_QUALITY
    bgr = np.ascontiguousarray(image[..., ::-1])
    _, data = cv2.imencode(extension, bgr, [option, quality])
    again = np.asarray(cv2.imdecode(np.asarray(data), cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(again[..., ::-1])


def shrunk(image: Image, share: float, *, back: bool = True) -> Image:
    """Resized to ``share`` of its sides, and (``back``) to its own size again."""
    import cv2

    height, width = image.shape[:2]
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if back:
        small = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(small, np.uint8)


def softened(image: Image, sigma: float) -> Image:
    """Blurred by a Gaussian of ``sigma`` pixels."""
    import cv2

    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def greyed(image: Image) -> Image:
    """Without its colours."""
    import cv2

    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)


def mirrored(image: Image) -> Image:
    """Left and right exchanged."""
    return np.ascontiguousarray(image[:, ::-1])


def noisy(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """With normal noise of ``sigma`` grey levels."""
    values = image.astype(np.float32) + rng.normal(0.0, sigma, image.shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def moved(image: Image, right: float, down: float, zoom: float = 1.0) -> Image:
    """Moved by shares of its sides and enlarged about the centre; the rim is mirrored."""
    import cv2

    height, width = image.shape[:2]
    x = right * width + (1 - zoom) * (width - 1) / 2
    y = down * height + (1 - zoom) * (height - 1) / 2
    turned = cv2.warpAffine(
        image,
        np.array([[zoom, 0.0, x], [0.0, zoom, y]]),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(turned, np.uint8)
