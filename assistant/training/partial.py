"""Faces with one part exchanged, mended or taken out: what a counterfactual must mean.

To show what a region did, it is taken out and the face is scored again. A detector that has never
seen a part taken out takes the filling itself for a trace: the score rises whatever lay there. So
read-outs learn here that a filled hole says nothing (the face keeps its label), and that a blend is
real again once the blended part is out. Taking parts out while training is the answer of Hooker et
al., "A Benchmark for Interpretability Methods in Deep Neural Networks", arXiv 1806.10758, to the
same trouble; fillings are those of :mod:`assistant.attribution.neutralise` and the imputation of
ROAD (arXiv 2202.00449).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.attribution.neutralise import CounterfactualMethod, neutralise, random_patch
from assistant.attribution.regions import LEAST_AREA, region_masks
from assistant.errors import InferenceError
from assistant.evaluation.known_masks import AlignedFace, region_swap
from assistant.evaluation.map_metrics import road
from assistant.training.self_blended import self_blend
from assistant.types import Image

__all__ = ["exchanged", "mended", "spared", "without_some"]

Mask = NDArray[np.bool_]
_FACE_PARTS = ("left eye", "right eye", "nose", "mouth", "left cheek", "right cheek", "jaw")
#: How holes are filled, and how often; the mirror image of a hole may lie in what was exchanged.
_FILLINGS: dict[CounterfactualMethod, float] = {"inpaint": 5, "blur": 2, "mean": 1.5, "mirror": 1.5}
_IMPUTED = 0.4
_MOST = 0.5
#: From this share of the donor on a pixel counts as exchanged.
_TRACE = 0.08


def without_some(crop: Image, points: NDArray[np.float64], rng: np.random.Generator) -> Image:
    """A face with regions, a patch or a random field of cells taken out, up to half of the crop.

    ``crop``: RGB uint8 S x S x 3. ``points``: its five points (5 x 2), in pixels of the crop; where
    they span no face, no region is taken out, but a patch.
    """
    size = crop.shape[:2]
    kind = rng.random()
    if kind < 0.35:
        hole = _some_regions(points, size, rng)
        if 0 < hole.mean() <= _MOST:
            return _filled(crop, hole, rng)
    if kind < 0.55:
        return _filled(crop, random_patch(size, float(rng.uniform(0.02, 0.35)), rng), rng)
    grain = int(rng.choice([3, 5, 16]))
    field = cv2.resize(rng.random((grain, grain)).astype(np.float32), size[::-1])
    return road(crop, field, share=float(rng.uniform(0.05, _MOST)), rng=rng)


def exchanged(
    crop: Image, points: NDArray[np.float64], donor: Image, rng: np.random.Generator
) -> tuple[Image, Mask]:
    """A real face with a part exchanged: blended with itself, or laid in from ``donor``.

    ``crop``: RGB uint8 S x S x 3; ``points``: its five points (5 x 2), in pixels of the crop;
    ``donor``: another real face in the same crop.

    Returns:
        The picture, and which pixels were exchanged.

    Raises:
        ValueError: the face's hull lies outside the crop.
        InferenceError: the points span no face.
        TrainingError: no part of the face is in view.
    """
    if rng.random() < 0.5:
        picture, share = self_blend(crop, points, rng)
        return picture, share > _TRACE * share.max()
    masks = region_masks(points, crop.shape[0])
    names = [name for name in _FACE_PARTS if masks[name].mean() >= LEAST_AREA]
    kind = rng.random()
    if kind < 0.55:
        mask = _union(masks, names, int(rng.choice([1, 1, 2])), rng)
    else:
        mask = _union(masks, names, len(names), rng)
        if kind < 0.8:
            mask &= _half(points, crop.shape[0], rng)
    picture, _ = region_swap(
        AlignedFace(crop=crop, crop_landmarks=points),
        AlignedFace(crop=donor, crop_landmarks=points),
        mask,
        feather=float(rng.uniform(0.006, 0.03)),
    )
    return picture, cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2) > _TRACE


def mended(picture: Image, mask: Mask, rng: np.random.Generator) -> Image:
    """The picture with what was exchanged taken out."""
    return _filled(picture, mask, rng, mirror=False)


def spared(picture: Image, mask: Mask, rng: np.random.Generator) -> Image:
    """The picture with another part taken out, at most as large as what was exchanged."""
    area = min(float(mask.mean()), 0.4)
    for _ in range(20):
        hole = random_patch(mask.shape, area * float(rng.uniform(0.3, 1.0)), rng) & ~mask
        if hole.mean() > 0.01:
            return _filled(picture, hole, rng)
    return picture


def _filled(picture: Image, hole: Mask, rng: np.random.Generator, *, mirror: bool = True) -> Image:
    """A hole filled in one of several ways."""
    if not hole.any() or hole.all():
        return picture
    if rng.random() < _IMPUTED:
        share = float(np.clip(hole.mean() * rng.uniform(0.9, 1.3), 0.02, 0.8))
        soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 4)
        return road(picture, soft, share=share, rng=rng)
    ways = {way: odds for way, odds in _FILLINGS.items() if mirror or way != "mirror"}
    odds = np.array(list(ways.values()))
    return neutralise(picture, hole, list(ways)[rng.choice(len(ways), p=odds / odds.sum())])


def _some_regions(
    points: NDArray[np.float64], size: tuple[int, int], rng: np.random.Generator
) -> Mask:
    """One to three regions in view; an empty mask where the points span no face."""
    try:
        masks = region_masks(points, size)
    except InferenceError:
        return np.zeros(size, bool)
    names = [name for name, mask in masks.items() if mask.mean() >= LEAST_AREA]
    return _union(masks, names, int(rng.integers(1, 4)), rng)


def _union(masks: dict[str, Mask], names: list[str], count: int, rng: np.random.Generator) -> Mask:
    """Some regions, drawn; an empty mask where there is none."""
    picked = [masks[names[i]] for i in rng.permutation(len(names))[:count]]
    found: Mask = np.any(picked or [np.zeros_like(next(iter(masks.values())))], axis=0)
    return found


def _half(points: NDArray[np.floating], side: int, rng: np.random.Generator) -> Mask:
    """One side of a line through the face's middle, about upright."""
    angle = rng.uniform(-0.5, 0.5) + (np.pi if rng.random() < 0.5 else 0.0)
    y, x = np.mgrid[0:side, 0:side]
    middle = points.mean(axis=0)
    found: Mask = (x - middle[0]) * np.cos(angle) + (y - middle[1]) * np.sin(angle) > 0
    return found
