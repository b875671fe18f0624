"""Training pictures with exact masks: self-blended faces, region swaps and untouched faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.regions import region_masks
from assistant.evaluation.known_masks import AlignedFace, region_swap
from assistant.training.self_blended import self_blend
from assistant.types import REGIONS, Image

__all__ = ["blended"]

_PARTS = tuple(name for name in REGIONS if name != "background")
_WHOLE = tuple(name for name in _PARTS if name != "forehead")


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
