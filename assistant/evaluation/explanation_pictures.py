"""Pictures to explain where no manifest is given: portraits that packages ship, made different.

From each portrait come pictures that are smaller, darker, softer, more compressed and so on, and
pictures in which one region was replaced by a changed copy of itself, softly blended in, so that it
is known where they were changed. All are made from the seed alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.edits import coded, greyed, mirrored, noisy, shrunk, softened
from assistant.evaluation.map_faces import shipped_pictures
from assistant.interfaces import FaceFinder
from assistant.types import Image

__all__ = ["MadePicture", "made_pictures"]

Change = Callable[[Image, random.Random], Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePicture:
    """An encoded picture; ``region`` is the region that was changed in it, or empty.

    ``manipulated``: what is known of it.
    """

    name: str
    data: bytes
    region: str = ""
    manipulated: bool | None = None


def made_pictures(finder: FaceFinder, *, count: int, seed: int = 0) -> list[MadePicture]:
    """``count`` pictures: as shipped, changed as a whole, and with one region blended, in turn.

    Portraits in which ``finder`` sees no face are left out; without any the list is empty.
    """
    rng = random.Random(seed)  # noqa: S311 - makes pictures, keeps no secret
    portraits = []
    for name, picture in shipped_pictures():
        found = finder.find(picture)
        if found:
            portraits.append((name, picture, found[0].landmarks))
    made: list[MadePicture] = []
    whole = list(_WHOLE.items())
    regions = ("mouth", "nose", "left eye", "right eye")
    step = 0
    while portraits and len(made) < count:
        name, picture, points = portraits[step % len(portraits)]
        round_ = step // len(portraits)
        if round_ == 0:
            made.append(_made(name, picture))
        elif round_ % 2:
            region = regions[round_ // 2 % len(regions)]
            changed = _blended(picture, points, region, rng)
            made.append(_made(f"{name}, {region} blended ({round_})", changed, region))
        else:
            how, change = whole[(round_ // 2 - 1) % len(whole)]
            made.append(_made(f"{name}, {how} ({round_})", change(picture, rng)))
        step += 1
    return made


def _made(name: str, picture: Image, region: str = "") -> MadePicture:
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return MadePicture(name=name, data=data.tobytes(), region=region)


def _blended(picture: Image, points: NDArray[np.float32], region: str, rng: random.Random) -> Image:
    """The picture with one region replaced by a changed copy of itself, without a hard edge."""
    eyes = sorted((tuple(points[0]), tuple(points[1])))
    wide = float(np.hypot(eyes[1][0] - eyes[0][0], eyes[1][1] - eyes[0][1]))
    centre, axes = {
        "left eye": (eyes[0], (0.32, 0.2)),
        "right eye": (eyes[1], (0.32, 0.2)),
        "nose": (tuple(points[2]), (0.3, 0.32)),
        "mouth": (tuple((points[3] + points[4]) / 2), (0.5, 0.28)),
    }[region]
    mask = np.zeros(picture.shape[:2], np.float32)
    at = (int(centre[0]), int(centre[1]))
    cv2.ellipse(mask, at, (int(axes[0] * wide), int(axes[1] * wide)), 0, 0, 360, (1.0,), -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(1.0, 0.06 * wide))[..., None]
    turn = cv2.getRotationMatrix2D(at, rng.uniform(-6, 6), rng.uniform(0.9, 1.12))
    size = (picture.shape[1], picture.shape[0])
    copy = cv2.warpAffine(picture, turn, size, borderMode=cv2.BORDER_REFLECT)
    copy = cv2.GaussianBlur(copy, (0, 0), rng.uniform(0.4, 1.6)).astype(np.float32)
    tint = np.array([rng.uniform(-14, 14) for _ in range(3)], np.float32)
    mixed = mask * (copy * rng.uniform(0.88, 1.12) + tint) + (1 - mask) * picture
    blended: Image = np.clip(mixed, 0, 255).astype(np.uint8)
    return blended


def _light(picture: Image, gain: float) -> Image:
    lit: Image = np.clip(picture.astype(np.float32) * gain, 0, 255).astype(np.uint8)
    return lit


def _tilted(picture: Image, rng: random.Random) -> Image:
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-20, 20), 1)
    tilted: Image = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return tilted


_WHOLE: dict[str, Change] = {
    "smaller": lambda p, r: shrunk(p, r.uniform(0.3, 0.6), back=False),
    "darker": lambda p, r: _light(p, r.uniform(0.2, 0.4)),
    "softer": lambda p, r: softened(p, r.uniform(1.5, 4)),
    "compressed": lambda p, r: coded(p, r.choice((12, 25, 40))),
    "mirrored": lambda p, _: mirrored(p),
    "greyscale": lambda p, _: greyed(p),
    "brighter": lambda p, r: _light(p, r.uniform(1.5, 2.2)),
    "tilted": _tilted,
    "noisy": lambda p, r: noisy(p, 14, np.random.default_rng(r.randrange(2**32))),
}
