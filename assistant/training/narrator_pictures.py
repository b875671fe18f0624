"""Faces with what can be seen in them: labels, changes that are drawn in, and true captions.

Glasses, beard and mouth are labelled by looking (``configs/narrator-pictures.csv``); direction,
light, sharpness and colour are measured; what is drawn in or tilted is known. Nothing is guessed:
where an attribute is not known, the caption leaves it out.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.edits import greyed, mirrored, softened
from assistant.errors import TrainingError
from assistant.types import Image

__all__ = [
    "LABELLED",
    "Seen",
    "beard",
    "caption",
    "changed",
    "glasses",
    "listed_seen",
    "lit",
    "open_mouth",
    "read_labels",
    "tilted",
]

_Points = NDArray[np.floating[Any]]
#: Columns of a list that are 1, 0 or empty (not known).
LABELLED = ("glasses", "beard", "open mouth")
_BRIGHT, _DARK, _LEAN = 172.0, 62.0, 0.35  # mean grey of the face; difference of its halves
_SOFT, _SHARP = 0.055, 0.1  # of _sharpness
_GREY = 4.0  # mean spread of the colour channels
_FRONT, _TURNED_ASIDE = 0.12, 0.2  # nose beside the middle of the eyes, in their distance
# How often each change is made.
_DRAWN, _MIRRORED, _TILTED, _LIT, _SOFTENED, _GREYED = 0.25, 0.5, 0.25, 0.5, 0.3, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An aligned face and what is known to be seen in it.

    Attributes:
        crop: RGB uint8 HWC.
        points: eyes, nose and mouth corners, 5 x 2 in crop pixels.
        shows: attribute of :data:`LABELLED` -> whether it is there; left out: not known.
        tilt: whether it was turned about its middle after it was aligned.
    """

    crop: Image
    points: _Points
    shows: Mapping[str, bool] = field(default_factory=dict)
    tilt: bool = False

    @property
    def direction(self) -> str:
        """``front``, ``left``, ``right`` (as seen in the picture), ``tilted``, or "": between."""
        if self.tilt:
            return "tilted"
        left, right, nose = self.points[:3]
        aside = float((nose - (left + right) / 2)[0] / np.linalg.norm(right - left))
        if abs(aside) < _FRONT:
            return "front"
        return "" if abs(aside) < _TURNED_ASIDE else "left" if aside < 0 else "right"


def read_labels(path: Path) -> dict[str, tuple[str, dict[str, bool]]]:
    """A list's split and labels by path.

    Raises:
        TrainingError: the list cannot be read or has other columns.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {
                row["path"]: (
                    row.get("split") or "",
                    {name: row[name] == "1" for name in LABELLED if row.get(name)},
                )
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, TypeError, csv.Error) as error:
        raise TrainingError(
            f"The pictures of {path} cannot be read ({error}).",
            hint=f"Its columns are path, split, {', '.join(LABELLED)}.",
        ) from error


def listed_seen(path: Path, faces: Mapping[str, tuple[Image, _Points]], split: str) -> list[Seen]:
    """The labelled faces of one split; ``faces``: by path, those that were found.

    Raises:
        TrainingError: as :func:`read_labels`; or the split has no face.
    """
    found = [
        Seen(crop=faces[name][0], points=faces[name][1][:5], shows=shows)
        for name, (of, shows) in read_labels(path).items()
        if of == split and name in faces
    ]
    if not found:
        raise TrainingError(
            f"{path} names no picture with a face of the split {split!r}.",
            hint="Its column `split` holds train and heldout; set `data` to its pictures' folder.",
        )
    return found


def changed(face: Seen, rng: random.Random) -> Seen:
    """The face after some changes drawn by ``rng``, with what is then to be seen."""
    crop, points, shows, tilt = face.crop, face.points, dict(face.shows), False
    for name, draw in (("glasses", glasses), ("beard", beard), ("open mouth", open_mouth)):
        if rng.random() < _DRAWN and not shows.get(name):
            crop, shows[name] = draw(crop, points), True
    if rng.random() < _MIRRORED:
        crop = mirrored(crop)
        points = (points * (-1, 1) + (crop.shape[1] - 1, 0))[[1, 0, 2, 4, 3]]
    if rng.random() < _TILTED:
        crop, tilt = tilted(crop, rng.choice((-1, 1)) * rng.uniform(18, 40)), True
    draw_light = rng.random()
    if draw_light < 0.3 * _LIT:
        crop = lit(crop, rng.uniform(0.2, 0.4))
    elif draw_light < 0.6 * _LIT:
        crop = lit(crop, rng.uniform(1.7, 2.3))
    elif draw_light < _LIT:
        ends = rng.uniform(1.3, 1.7), rng.uniform(0.25, 0.5)
        crop = lit(crop, *(ends if rng.random() < 0.5 else ends[::-1]))
    if rng.random() < _SOFTENED:
        crop = softened(crop, rng.uniform(2.5, 6.0))
    if rng.random() < _GREYED:
        crop = greyed(crop)
    return Seen(crop=crop, points=points, shows=shows, tilt=tilt)


def caption(face: Seen) -> str:
    """Direction, light, sharpness, colour, glasses, beard and mouth in short sentences."""
    direction = {
        "tilted": "The head is tilted.",
        "left": "The face is turned to the left.",
        "right": "The face is turned to the right.",
        "front": "The head is upright.",
    }.get(face.direction)
    grey = face.crop.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    high, wide = grey.shape
    inner = grey[high // 5 :, wide // 5 : wide - wide // 5]
    mean, half = float(inner.mean()), inner.shape[1] // 2
    lean = (float(inner[:, :half].mean()) - float(inner[:, half:].mean())) / max(mean, 20.0)
    light = "dark" if mean < _DARK else "bright" if mean > _BRIGHT else "even"
    side = "left" if lean > _LEAN else "right" if lean < -_LEAN else ""
    edges = float(cv2.Laplacian(grey, cv2.CV_32F).std()) / (float(grey.std()) + 4.0)
    sharp = "soft" if edges < _SOFT else "sharp" if edges > _SHARP else "fairly sharp"
    colour = float(np.ptp(face.crop.astype(np.int16), axis=2).mean())
    said = [
        direction,
        f"The {side} side is brighter." if side else f"The light is {light}.",
        f"The picture is {sharp}.",
        "It is without colour." if colour < _GREY else "It is in colour.",
    ]
    for name, yes, no in (
        ("glasses", "There are glasses.", "The eyes are bare."),
        ("beard", "There is a beard.", "The chin is bare."),
        ("open mouth", "The mouth is open.", "The mouth is closed."),
    ):
        if name in face.shows:
            said.append(yes if face.shows[name] else no)
    return " ".join(text for text in said if text)


def lit(image: Image, left: float, right: float | None = None) -> Image:
    """Brightness times ``left``, or from ``left`` to ``right`` across the picture."""
    ends = np.linspace(left, left if right is None else right, image.shape[1], dtype=np.float32)
    out: Image = np.clip(image.astype(np.float32) * ends[None, :, None], 0, 255).astype(np.uint8)
    return out


def glasses(image: Image, points: _Points) -> Image:
    """With the dark frame of a pair of glasses drawn in."""
    left, right = points[0], points[1]
    wide = float(np.linalg.norm(right - left))
    out = image.copy()
    for eye in (left, right):
        cv2.circle(out, _at(eye), round(0.36 * wide), (20, 20, 20), max(2, round(0.07 * wide)))
    inner = 0.36 * (right - left)
    cv2.line(out, _at(left + inner), _at(right - inner), (20, 20, 20), max(2, round(0.07 * wide)))
    return out


def beard(image: Image, points: _Points) -> Image:
    """With dark noise over chin and cheeks."""
    wide = float(np.linalg.norm(points[1] - points[0]))
    mouth = (points[3] + points[4]) / 2
    mask = np.zeros(image.shape[:2], np.float32)
    low = mouth + _down(0.05 * wide)
    cv2.ellipse(mask, _at(low), (round(0.8 * wide), round(0.7 * wide)), 0, 0, 180, (1.0,), -1)
    cv2.ellipse(mask, _at(mouth), (round(0.42 * wide), round(0.2 * wide)), 0, 0, 360, (0.0,), -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.05 * wide)[..., None]
    hair = np.random.default_rng(0).normal(45, 14, image.shape[:2]).astype(np.float32)[..., None]
    mixed: Image = np.clip(image * (1 - mask) + hair * mask, 0, 255).astype(np.uint8)
    return mixed


def open_mouth(image: Image, points: _Points) -> Image:
    """With a dark mouth and a row of teeth over the lips."""
    wide = float(np.linalg.norm(points[1] - points[0]))
    mouth = (points[3] + points[4]) / 2 + _down(0.02 * wide)
    inside, teeth = (60, 15, 20), (235, 235, 235)
    out = image.copy()
    cv2.ellipse(out, _at(mouth), (round(0.3 * wide), round(0.24 * wide)), 0, 0, 360, inside, -1)
    top = mouth - _down(0.13 * wide)
    cv2.ellipse(out, _at(top), (round(0.22 * wide), round(0.06 * wide)), 0, 0, 360, teeth, -1)
    return out


def tilted(image: Image, degrees: float = 30.0) -> Image:
    """Turned about its middle."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    out: Image = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return out


def _at(point: NDArray[np.floating[Any]]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _down(pixels: float) -> NDArray[np.float64]:
    return np.array([0.0, pixels])
