"""Heat maps and region outlines as transparent pictures, for the page and the picture card."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from assistant.types import Image, Verdict

__all__ = ["VERDICT_COLOURS", "blend", "heat_rgba", "outline_rgba", "png_bytes"]

# Dark violet to pale yellow, steadily lighter: readable in grey and by colour-blind eyes.
_ANCHORS = np.array(
    [
        (26, 11, 64),
        (79, 18, 123),
        (129, 37, 129),
        (181, 54, 122),
        (229, 80, 100),
        (251, 135, 97),
        (254, 194, 135),
        (252, 253, 191),
    ],
    np.float64,
)
_FAINTEST = 0.10
#: Dark enough for white text on them; never the only signal.
VERDICT_COLOURS = {
    Verdict.NO_SIGN: (29, 92, 170),
    Verdict.UNCERTAIN: (133, 92, 10),
    Verdict.LIKELY_MANIPULATED: (178, 58, 18),
}


def heat_rgba(heat: NDArray[np.float32]) -> Image:
    """Colour a map, H x W in [0, 1], as RGBA uint8 H x W x 4: little weight is left see-through."""
    at = np.clip(heat, 0.0, 1.0).astype(np.float64) * (len(_ANCHORS) - 1)
    low = np.minimum(at.astype(int), len(_ANCHORS) - 2)
    part = (at - low)[..., None]
    rgb = _ANCHORS[low] * (1 - part) + _ANCHORS[low + 1] * part
    alpha = np.clip((heat - _FAINTEST) / 0.4, 0.0, 1.0) * 255
    return np.dstack([rgb, alpha]).round().astype(np.uint8)


def blend(crop: Image, heat: NDArray[np.float32], opacity: float) -> Image:
    """Lay a map over its crop, RGB uint8; ``opacity`` in [0, 1] scales the map."""
    over = heat_rgba(heat).astype(np.float64)
    alpha = over[..., 3:] / 255.0 * opacity
    mixed: Image = (crop * (1 - alpha) + over[..., :3] * alpha).round().astype(np.uint8)
    return mixed


def outline_rgba(mask: NDArray[np.bool_], *, width: int = 2) -> Image:
    """The rim of a mask, H x W, as RGBA: a white line with a dark one around it."""
    inner = mask & ~_eroded(mask, width)
    outer = _eroded(~mask, width) ^ ~mask
    out = np.zeros((*mask.shape, 4), np.uint8)
    out[outer] = (20, 20, 20, 190)
    out[inner] = (255, 255, 255, 255)
    return out


def png_bytes(picture: Image) -> bytes:
    """A picture, RGB or RGBA uint8, as a PNG file without any metadata."""
    buffer = io.BytesIO()
    PilImage.fromarray(picture).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _eroded(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """What is left of a mask without its rim; the picture's border counts as inside."""
    for _ in range(steps):
        padded = np.pad(mask, 1, mode="edge")
        mask = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask
