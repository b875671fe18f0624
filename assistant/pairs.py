"""Places worth looking at, as pairs of enlarged pictures: visible cues first, then causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.attribution.neutralise import CounterfactualMethod, neutralise
from assistant.attribution.regions import region_masks
from assistant.cues.stage import enlarged
from assistant.evidence import CueFact, EffectFact
from assistant.types import CuesLooked, FaceAnalysis, Fact, Image

__all__ = ["HOW_NEUTRALISED", "Pair", "cue_pairs", "pairs_of", "with_amplified_detail"]

#: What was done to a region, as it follows "was".
HOW_NEUTRALISED = {
    "inpaint": "filled from its rim",
    "blur": "blurred",
    "mean": "replaced by the face's mean colour",
    "mirror": "replaced by the other side's mirror image",
}
_STRENGTH = {"lowers": 0, "raises": 1, "like-random": 2, "hardly": 3}
_GAIN, _FINE = 4.0, 5.0

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two pictures to look at side by side.

    Attributes:
        fact: what was measured; its text holds the number and what it is compared with.
        names: of both pictures.
        pictures: RGB uint8, squares of one size and one scale.
        outlines: the places in the whole picture, as corners (x, y) in frame pixels.
    """

    fact: CueFact | EffectFact
    names: tuple[str, str]
    pictures: tuple[Image, Image]
    outlines: tuple[Corners, ...]


def pairs_of(result: FaceAnalysis, most: int = 3) -> tuple[Pair, ...]:
    """The visible cues that speak, then the regions whose absence moves the score most.

    Regions that move it no more than random patches come last, and only where nothing else is
    there to be shown: then one of them.
    """
    pairs = cue_pairs(result.evidence.of(CueFact), result.cues)
    causes = sorted(
        (f for f in result.evidence.of(EffectFact) if f.method in HOW_NEUTRALISED),
        key=lambda f: (_STRENGTH[f.effect], -abs(f.change)),
    )
    moving = [f for f in causes if f.effect in {"lowers", "raises"}]
    if not moving and not pairs:
        moving = causes[:1]
    pairs += _caused(result, moving[: max(0, most - len(pairs))])
    return tuple(pairs[:most])


def cue_pairs(facts: Sequence[Fact], looked: CuesLooked) -> list[Pair]:
    """The pairs of the visible cues among ``facts``, with the pictures that ``looked`` holds."""
    pictures = {f.reading.cue: f.pictures for f in looked.findings}
    return [
        Pair(
            fact=fact,
            names=(f"The {fact.places[0]}", f"The {fact.places[1]}"),
            pictures=(pictures[fact.cue_name][0], pictures[fact.cue_name][1]),
            outlines=tuple(_corners(box) for box in fact.boxes),
        )
        for fact in facts
        if isinstance(fact, CueFact) and fact.visible and len(pictures.get(fact.cue_name, ())) == 2
    ]


def with_amplified_detail(picture: Image) -> Image:
    """A picture whose fine detail is four times as strong: to be labelled as amplified."""
    values = picture.astype(np.float32)
    soft = cv2.GaussianBlur(values, (0, 0), _FINE)
    return np.asarray(np.clip(np.rint(soft + _GAIN * (values - soft)), 0, 255), np.uint8)


def _caused(result: FaceAnalysis, facts: Sequence[EffectFact]) -> list[Pair]:
    """Regions as they are beside what took their place when the face was scored again."""
    if not facts:
        return []
    crop = result.face.crop
    masks = region_masks(result.face.crop_landmarks, crop.shape[:2])
    to_frame = cv2.invertAffineTransform(result.face.matrix)
    pairs = []
    for fact in facts:
        mask = masks[fact.region]
        if not mask.any():
            continue
        without = neutralise(crop, mask, cast("CounterfactualMethod", fact.method))
        y, x = np.nonzero(mask)
        box = (float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))
        corners = np.asarray(_corners(box)) @ to_frame[:, :2].T + to_frame[:, 2]
        pairs.append(
            Pair(
                fact=fact,
                names=(
                    f"The {fact.region} as it is",
                    f"The {fact.region} {HOW_NEUTRALISED[fact.method]}",
                ),
                pictures=(enlarged(crop, [box])[0], enlarged(without, [box])[0]),
                outlines=(_points(corners),),
            )
        )
    return pairs


def _corners(box: Sequence[float]) -> Corners:
    x0, y0, x1, y1 = box
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def _points(corners: NDArray[np.floating]) -> Corners:
    return tuple((float(x), float(y)) for x, y in corners)
