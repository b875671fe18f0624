"""Fakes that are made of genuine faces while training: laid in, or redrawn as a whole.

*Laid in*: a self-blended face (arXiv 2204.08376), a part or the whole of another person's face, or
the inner face re-rendered as face swappers do (a decoder's output, a lower resolution, a warp,
sharpening), with its colours matched and a rim of any softness. That blends of many genuine sources
generalise best over swaps is what arXiv 2605.10334 found. *Made*: the whole picture as a small
decoder redraws it (:mod:`assistant.training.reconstruction`). Both know exactly what was changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.attribution.regions import region_masks
from assistant.errors import InferenceError, TrainingError
from assistant.evaluation.known_masks import AlignedFace, region_swap
from assistant.training.reconstruction import Redrawer
from assistant.training.self_blended import face_hull, self_blend
from assistant.types import REGIONS, Image

__all__ = ["laid_in", "redrawn"]

Floats = NDArray[np.float32]
_SELF_BLENDED, _EXCHANGED = 0.4, 0.25
_PARTS = tuple(name for name in REGIONS if name != "background")
_WHOLE = tuple(name for name in _PARTS if name != "forehead")


def laid_in(
    face: AlignedFace,
    donor: AlignedFace,
    redrawers: Sequence[Redrawer],
    rng: np.random.Generator,
) -> tuple[Image, Floats]:
    """Something laid into a genuine face, and its mask (H x W in [0, 1], 1 = all of it laid in).

    Raises:
        ValueError: the face's points lie outside its crop.
    """
    choice = rng.random()
    if choice < _SELF_BLENDED + _EXCHANGED:
        share = _SELF_BLENDED / (_SELF_BLENDED + _EXCHANGED)
        try:
            return _blended(face, donor, rng, self_blended=share)
        except (InferenceError, TrainingError) as error:
            raise ValueError(error.user_message) from error
    return _re_rendered(face, donor, redrawers, rng)


def _blended(
    face: AlignedFace, donor: AlignedFace, rng: np.random.Generator, *, self_blended: float
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


def redrawn(crop: Image, redrawers: Sequence[Redrawer], rng: np.random.Generator) -> Image:
    """A genuine crop redrawn as a whole by one of the networks, sometimes sharpened after."""
    drawn = redrawers[int(rng.integers(len(redrawers)))].redraw(crop)
    return _sharpened(drawn, rng) if rng.random() < 0.4 else drawn


def _re_rendered(
    face: AlignedFace,
    donor: AlignedFace,
    redrawers: Sequence[Redrawer],
    rng: np.random.Generator,
) -> tuple[Image, Floats]:
    """The inner face (half the time another person's) rendered anew and laid in again."""
    inner = donor.crop if rng.random() < 0.5 else face.crop
    how = rng.integers(3) if redrawers else 1 + rng.integers(2)
    if how == 0:
        inner = redrawers[int(rng.integers(len(redrawers)))].redraw(inner)
    elif how == 1:
        inner = _coarse(inner, rng)
    if how == 2 or rng.random() < 0.4:
        inner = _warped(inner, rng)
    if rng.random() < 0.4:
        inner = _sharpened(inner, rng)
    mask = face_hull(face.crop.shape[:2], face.crop_landmarks, rng)
    if not mask.any():
        raise ValueError("the face's hull does not lie inside the crop")
    inner = _coloured(inner, face.crop, mask, rng)
    soft = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.8, 9.0)))
    if rng.random() < 0.5:  # the rim ends inside the hull, as swappers erode their masks
        soft = np.clip(2.0 * soft - 1.0, 0.0, 1.0)
    alpha = (soft * float(rng.choice([0.75, 1.0, 1.0])))[..., None]
    mixed = alpha * inner.astype(np.float32) + (1.0 - alpha) * face.crop
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8), np.asarray(soft, np.float32)


def _coarse(crop: Image, rng: np.random.Generator) -> Image:
    """At a third to nine tenths of the resolution, enlarged again."""
    share = float(rng.uniform(0.3, 0.9))
    small = cv2.resize(crop, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    how = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
    size = (crop.shape[1], crop.shape[0])
    return np.asarray(cv2.resize(small, size, interpolation=how), np.uint8)


def _warped(crop: Image, rng: np.random.Generator) -> Image:
    """Smooth shifts of a few pixels, as reenactment moves a face's parts."""
    height, width = crop.shape[:2]
    coarse = rng.normal(0.0, rng.uniform(0.8, 2.5), (2, 6, 6)).astype(np.float32)
    moves = [cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC) for part in coarse]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    border = cv2.BORDER_REFLECT_101
    moved = cv2.remap(crop, x + moves[0], y + moves[1], cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(moved, np.uint8)


def _sharpened(crop: Image, rng: np.random.Generator) -> Image:
    soft = cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.8, 2.0)))
    amount = float(rng.uniform(0.3, 1.2))
    return np.asarray(cv2.addWeighted(crop, 1.0 + amount, soft, -amount, 0.0), np.uint8)


def _coloured(inner: Image, face: Image, mask: Floats, rng: np.random.Generator) -> Image:
    """Colours brought near the face's: mean and spread in Lab, the mean alone in RGB, or hardly."""
    inside = mask > 0
    how = rng.integers(3)
    if how == 0:
        source = cv2.cvtColor(inner, cv2.COLOR_RGB2LAB).astype(np.float32)
        target = cv2.cvtColor(face, cv2.COLOR_RGB2LAB).astype(np.float32)
        gain = np.clip(target[inside].std(0) / (source[inside].std(0) + 1e-3), 0.7, 1.4)
        source = (source - source[inside].mean(0)) * gain + target[inside].mean(0)
        near = cv2.cvtColor(source.clip(0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
        return np.asarray(near, np.uint8)
    moved = inner.astype(np.float32)
    share = 1.0 if how == 1 else float(rng.uniform(0.5, 0.9))
    moved += share * (face[inside].mean(0) - inner[inside].mean(0))
    moved += rng.uniform(-6, 6, 3)
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)
