"""Training pictures with exact masks: self-blended faces, region swaps and untouched faces."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.attribution.regions import region_masks
from assistant.evaluation.known_masks import AlignedFace, region_swap
from assistant.training.self_blended import self_blend
from assistant.types import REGIONS, Image

__all__ = ["blend_sample", "blended", "recompressed"]

_PARTS = tuple(name for name in REGIONS if name != "background")
_WHOLE = tuple(name for name in _PARTS if name != "forehead")
#: Shares of untouched faces, of self-blended ones; the rest are region swaps.
_UNTOUCHED, _SELF_BLENDED = 0.15, 0.35


def blend_sample(
    index: int, faces: Sequence[AlignedFace], rng: np.random.Generator
) -> tuple[Image, NDArray[np.float32]]:
    """One picture, at times recompressed, and its mask: H x W in [0, 1], zero where untouched."""
    face = faces[index]
    choice = rng.random()
    if choice < _UNTOUCHED or len(faces) < 2:
        crop, mask = face.crop, np.zeros(face.crop.shape[:2], np.float32)
    elif choice < _UNTOUCHED + _SELF_BLENDED:
        crop, mask = self_blend(face.crop, face.crop_landmarks, rng)
        mask = mask / max(float(mask.max()), 1e-6)
    else:
        donor = faces[(index + 1 + int(rng.integers(len(faces) - 1))) % len(faces)]
        crop, hard = region_swap(
            face, donor, _swap_mask(face, rng), feather=rng.uniform(0.004, 0.025)
        )
        mask = hard.astype(np.float32)
    return recompressed(crop, rng), mask


def blended(
    face: AlignedFace, donor: AlignedFace, rng: np.random.Generator, *, self_blended: float = 0.5
) -> tuple[Image, NDArray[np.float32]]:
    """A face blended with a changed copy of itself (share ``self_blended``) or with the donor.

    Returns:
        The picture, and its mask: H x W in [0, 1], scaled so that its maximum is 1.

    Raises:
        ValueError: the face's points lie outside its crop.
        TrainingError: the faces differ in size.
    """
    if rng.random() < self_blended:
        crop, mask = self_blend(face.crop, face.crop_landmarks, rng)
        return crop, (mask / max(float(mask.max()), 1e-6)).astype(np.float32)
    crop, hard = region_swap(face, donor, _swap_mask(face, rng), feather=rng.uniform(0.004, 0.025))
    return crop, hard.astype(np.float32)


def _swap_mask(face: AlignedFace, rng: np.random.Generator) -> NDArray[np.bool_]:
    masks = region_masks(face.crop_landmarks, (face.crop.shape[0], face.crop.shape[1]))
    whole = np.any([masks[name] for name in _WHOLE], axis=0)
    choice = rng.random()
    if choice < 0.55:
        names = rng.choice(_PARTS, 1 if choice < 0.4 else int(rng.integers(2, 4)), replace=False)
        mask = np.any([masks[str(name)] for name in names], axis=0)
    elif choice < 0.75:
        left = np.arange(face.crop.shape[1])[None] < face.crop_landmarks[:, 0].mean()
        mask = whole & (left if rng.random() < 0.5 else ~left)
    else:
        mask = whole
    chosen: NDArray[np.bool_] = mask if mask.any() else whole
    return chosen


def recompressed(crop: Image, rng: np.random.Generator) -> Image:
    """Scaled down and up again in 3 of 10 cases, JPEG of quality 50-97 in 6 of 10."""
    if rng.random() < 0.3:
        height, width = crop.shape[:2]
        factor = rng.uniform(0.5, 0.9)
        small = (max(8, int(width * factor)), max(8, int(height * factor)))
        less = cv2.resize(crop, small, interpolation=cv2.INTER_AREA)
        crop = np.asarray(cv2.resize(less, (width, height), interpolation=cv2.INTER_CUBIC))
    if rng.random() < 0.6:
        options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 98))]
        _, data = cv2.imencode(".jpg", np.ascontiguousarray(crop[..., ::-1]), options)
        again = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        crop = np.ascontiguousarray(again[..., ::-1])
    return np.asarray(crop, np.uint8)
