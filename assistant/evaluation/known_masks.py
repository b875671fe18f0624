"""Faces whose manipulated pixels are known, to measure heat maps against.

``region_swap`` lays one part of another person's face into a face (colours matched, rim feathered,
as a face swap does); self-blended faces come from :mod:`assistant.training.self_blended`; untouched
faces are the control: no mask, so nothing may stand out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.regions import region_masks
from assistant.errors import TrainingError
from assistant.types import Image

__all__ = [
    "KINDS",
    "PART_KINDS",
    "AlignedFace",
    "KnownMask",
    "known_masks",
    "region_swap",
    "sample_rounds",
]

#: What is made of each face. ``eye`` and ``half`` take a side by chance.
KINDS: tuple[str, ...] = ("mouth", "eye", "nose", "half", "whole", "self-blend", "untouched")
#: Those of a single part, and what they are compared with.
PART_KINDS: tuple[str, ...] = ("mouth", "eye", "nose", "untouched")
#: Fainter blends than these have a mask that nobody could be asked to find.
_BLEND_RATIOS = (0.75, 1.0, 1.0)
_FACE_PARTS = ("left eye", "right eye", "nose", "mouth", "left cheek", "right cheek", "jaw")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedFace:
    """A real, untouched face: its crop and the five points in crop pixels."""

    crop: Image
    crop_landmarks: NDArray[np.float64]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMask:
    """One sample.

    Attributes:
        crop: RGB uint8 HWC.
        crop_landmarks: 5 x 2 in crop pixels.
        mask: H x W, True where pixels were exchanged; all False for ``untouched``.
        kind: one of :data:`KINDS`.
        region: the region exchanged where it is just one (``mouth``), else empty.
        name: of the face it was made from.
    """

    crop: Image
    crop_landmarks: NDArray[np.float64]
    mask: NDArray[np.bool_]
    kind: str
    region: str
    name: str


def region_swap(
    face: AlignedFace, donor: AlignedFace, mask: NDArray[np.bool_], *, feather: float = 0.012
) -> tuple[Image, NDArray[np.bool_]]:
    """Lay the donor's pixels under ``mask`` into the face.

    Args:
        face: receives.
        donor: gives; aligned to the same template, so parts fall on parts.
        mask: H x W of the receiving face.
        feather: softness of the rim, in shares of the side.

    Returns:
        The picture, and the mask where at least half of a pixel is the donor's.

    Raises:
        TrainingError: the crops differ in size, or the mask is empty or everything.
    """
    import cv2

    if not face.crop.shape == donor.crop.shape == (*mask.shape, 3):
        raise TrainingError(
            "A region swap needs alike sizes, "
            f"got {face.crop.shape}, {donor.crop.shape} and a mask of {mask.shape}.",
            hint="Align both faces with one crop specification.",
            code="swap-size",
        )
    if not mask.any() or mask.all():
        raise TrainingError(
            "A region swap needs a mask that covers some but not all of the crop.",
            hint="Use a face whose parts are in view.",
            code="swap-mask",
        )
    target = cv2.cvtColor(face.crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    source = cv2.cvtColor(donor.crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    for channel in range(3):
        there, here = source[..., channel][mask], target[..., channel][mask]
        gain = np.clip(here.std() / (there.std() + 1e-3), 0.7, 1.4)
        source[..., channel] = (source[..., channel] - there.mean()) * gain + here.mean()
    matched = cv2.cvtColor(source.clip(0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), feather * min(mask.shape))
    mixed = alpha[..., None] * matched + (1 - alpha[..., None]) * face.crop
    return mixed.round().clip(0, 255).astype(np.uint8), alpha >= 0.5


def _mask_of(
    kind: str, face: AlignedFace, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], str]:
    masks = region_masks(face.crop_landmarks, (face.crop.shape[0], face.crop.shape[1]))
    side = str(rng.choice(["left", "right"]))
    if kind in ("mouth", "nose"):
        return masks[kind], kind
    if kind == "eye":
        return masks[f"{side} eye"], f"{side} eye"
    whole = np.any([masks[name] for name in _FACE_PARTS], axis=0)
    if kind == "whole":
        return whole, ""
    middle = face.crop_landmarks[:, 0].mean()
    columns = np.arange(face.crop.shape[1])[None] + 0.5
    return whole & ((columns < middle) if side == "left" else (columns >= middle)), ""


def known_masks(
    faces: Sequence[AlignedFace], *, kinds: Sequence[str] = KINDS, seed: int = 0
) -> Iterator[KnownMask]:
    """One sample of every kind from every face; donors are other faces of the list.

    The same faces and seed make the same samples. With a single face its mirror image is the donor.

    Raises:
        TrainingError: no faces, an unknown kind, or a face whose parts are not in view.
    """
    if not faces:
        raise TrainingError(
            "There is no face to make known masks from.",
            hint="Name pictures with faces in the manifest.",
            code="no-faces",
        )
    for kind in kinds:
        if kind not in KINDS:
            raise TrainingError(
                f"unknown kind {kind!r} of known mask.",
                hint=f"There are {', '.join(KINDS)}.",
                code="mask-kind",
            )
    for index in range(len(faces)):
        for kind in kinds:
            rng = np.random.default_rng([seed, index, KINDS.index(kind)])
            yield _sample(kind, index, faces, rng)


def sample_rounds(
    faces: Sequence[AlignedFace], rounds: int, *, kinds: Sequence[str] = KINDS, seed: int = 0
) -> list[KnownMask]:
    """Samples of these kinds made ``rounds`` times with other donors and blends; untouched once.

    Raises:
        TrainingError: see :func:`known_masks`.
    """
    samples = list(known_masks(faces, kinds=kinds, seed=seed))
    touched = [kind for kind in kinds if kind != "untouched"]
    for number in range(1, rounds):
        samples += known_masks(faces, kinds=touched, seed=seed + 1000 * number)
    return samples


def _sample(
    kind: str, index: int, faces: Sequence[AlignedFace], rng: np.random.Generator
) -> KnownMask:
    face = faces[index]
    region = ""
    if kind == "untouched":
        crop, mask = face.crop, np.zeros(face.crop.shape[:2], bool)
    elif kind == "self-blend":
        from assistant.training.self_blended import self_blend

        try:
            crop, soft = self_blend(face.crop, face.crop_landmarks, rng, ratios=_BLEND_RATIOS)
        except ValueError as error:
            raise TrainingError(
                f"The face {face.name!r} cannot be blended with itself: {error}.",
                hint="Leave this picture out of the manifest.",
                code="swap-mask",
            ) from error
        mask = soft >= 0.5 * soft.max()
    else:
        mask, region = _mask_of(kind, face, rng)
        crop, mask = region_swap(face, _donor(index, faces, rng), mask)
    return KnownMask(
        crop=crop,
        crop_landmarks=face.crop_landmarks,
        mask=mask,
        kind=kind,
        region=region,
        name=face.name,
    )


def _donor(index: int, faces: Sequence[AlignedFace], rng: np.random.Generator) -> AlignedFace:
    if len(faces) > 1:
        return faces[(index + 1 + int(rng.integers(len(faces) - 1))) % len(faces)]
    only = faces[index]
    return AlignedFace(
        crop=np.ascontiguousarray(only.crop[:, ::-1]), crop_landmarks=only.crop_landmarks
    )
