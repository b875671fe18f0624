"""Taking a region out of a face, and treating a face the way the web treats files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.occlusion import blurred
from assistant.edits import coded, mirrored, moved, shrunk
from assistant.errors import InferenceError
from assistant.types import Image

__all__ = [
    "NEUTRALISERS",
    "VARIATIONS",
    "CounterfactualMethod",
    "neutralise",
    "random_patch",
]

CounterfactualMethod = Literal["inpaint", "blur", "mean", "mirror"]


def neutralise(
    crop: Image,
    mask: NDArray[np.bool_],
    method: CounterfactualMethod = "inpaint",
    *,
    face: NDArray[np.bool_] | None = None,
) -> Image:
    """The crop with what lies under a mask taken out, its rim feathered against new seams.

    Args:
        crop: RGB uint8 HWC.
        mask: H x W, True where to take out.
        method: see :class:`assistant.attribution.counterfactual.Counterfactual`.
        face: H x W, the face; gives ``mean`` its colour. None: the whole crop.

    Raises:
        InferenceError: the mask is empty (``empty-mask``), is everything (``whole-mask``), or has
            another size (``mask-shape``).
    """
    import cv2

    if mask.shape != crop.shape[:2]:
        raise InferenceError(
            f"The mask is {mask.shape}, the crop {crop.shape[:2]}: they must be alike.",
            hint="Make the mask at the crop's size.",
            code="mask-shape",
        )
    covered = float(mask.mean())
    if covered == 0.0 or covered == 1.0:
        what, code = (
            ("nothing", "empty-mask") if covered == 0.0 else ("the whole crop", "whole-mask")
        )
        raise InferenceError(
            f"The mask covers {what}: there is nothing to compare.",
            hint="Choose a region that is partly in view.",
            code=code,
        )
    side = min(crop.shape[:2])
    grow = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_odd(0.02 * side),) * 2)
    hole = cv2.dilate(mask.astype(np.uint8), grow)
    filler = NEUTRALISERS[method](crop, hole > 0, face)
    weight = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.012 * side)
    weight = np.maximum(weight, mask.astype(np.float32))[..., None]
    mixed = weight * filler.astype(np.float32) + (1 - weight) * crop.astype(np.float32)
    return np.asarray(mixed.round().clip(0, 255).astype(np.uint8))


def _odd(value: float) -> int:
    return max(3, int(value) // 2 * 2 + 1)


def _inpaint(crop: Image, hole: NDArray[np.bool_], face: NDArray[np.bool_] | None) -> Image:
    """Filled from the rim at a quarter of the size (fast), smooth by nature."""
    import cv2

    height, width = crop.shape[:2]
    small = (max(8, width // 4), max(8, height // 4))
    less = cv2.resize(crop, small, interpolation=cv2.INTER_AREA)
    less_hole = cv2.resize(hole.astype(np.uint8), small, interpolation=cv2.INTER_NEAREST)
    filled = cv2.inpaint(less, less_hole, 3, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC))


def _blur(crop: Image, hole: NDArray[np.bool_], face: NDArray[np.bool_] | None) -> Image:
    return blurred(crop, share=0.04)


def _mean(crop: Image, hole: NDArray[np.bool_], face: NDArray[np.bool_] | None) -> Image:
    pixels = crop[face] if face is not None and face.any() else crop.reshape(-1, 3)
    return np.broadcast_to(pixels.mean(axis=0).round().astype(np.uint8), crop.shape)


def _mirror(crop: Image, hole: NDArray[np.bool_], face: NDArray[np.bool_] | None) -> Image:
    """The crop flipped about the face's midline."""
    width = crop.shape[1]
    middle = (width - 1) / 2
    if face is not None and face.any():
        middle = float(np.nonzero(face)[1].mean())
    source = np.clip(np.round(2 * middle - np.arange(width)).astype(int), 0, width - 1)
    return np.ascontiguousarray(crop[:, source])


NEUTRALISERS: dict[
    CounterfactualMethod, Callable[[Image, NDArray[np.bool_], NDArray[np.bool_] | None], Image]
] = {"inpaint": _inpaint, "blur": _blur, "mean": _mean, "mirror": _mirror}


def random_patch(
    shape: tuple[int, int],
    area: float,
    rng: np.random.Generator,
    *,
    within: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """An ellipse of a given size at a random place.

    Args:
        shape: height and width of the crop.
        area: share of the crop to cover, in (0, 1).
        rng: gives place and form.
        within: where its centre may lie; None: anywhere.

    Returns:
        A mask of ``area`` exactly, but for rounding to whole pixels.
    """
    height, width = shape
    allowed = np.ones(shape, bool) if within is None or not within.any() else within
    rows, cols = np.nonzero(allowed)
    pick = int(rng.integers(len(rows)))
    stretch = float(np.exp(rng.uniform(-0.35, 0.35)))
    y, x = np.mgrid[0:height, 0:width]
    distance = ((y - rows[pick]) * stretch) ** 2 + ((x - cols[pick]) / stretch) ** 2
    count = min(distance.size - 1, max(1, round(area * distance.size)))
    mask = np.zeros(distance.size, bool)
    mask[np.argpartition(distance.ravel(), count)[:count]] = True
    return mask.reshape(shape)


#: Everyday changes of a file, by the name people read.
VARIATIONS: dict[str, Callable[[Image], Image]] = {
    "JPEG quality 90": partial(coded, quality=90),
    "JPEG quality 70": partial(coded, quality=70),
    "JPEG quality 50": partial(coded, quality=50),
    "half size": partial(shrunk, share=0.5),
    "slight blur": partial(blurred, share=1.0 / 224.0),
    "mirroring": mirrored,
    "a shift to the left": partial(moved, right=-0.03, down=0.0),
    "a shift to the right": partial(moved, right=0.03, down=0.0),
    "a shift up": partial(moved, right=0.0, down=-0.03),
    "a closer crop": partial(moved, right=0.0, down=0.0, zoom=1.06),
}
