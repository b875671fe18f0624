"""The pictures that go to a language model with the facts of a face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assistant.errors import InferenceError
from assistant.overlay import blend
from assistant.pairs import Pair, pairs_of
from assistant.types import Explanation, FaceAnalysis, Image

__all__ = ["Shown", "shown_to_model"]

_NAMES = ("the face", "the map over it", "the places of the strongest cue, enlarged")
_OPACITY = 0.6


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures (RGB uint8) with their names, and the names of those that are left out."""

    names: tuple[str, ...]
    images: tuple[Image, ...]
    left_out: tuple[str, ...]

    def said_by(self, piece: str | Explanation) -> str | Explanation:
        """The piece of a text; a whole one with what its model was shown."""
        if isinstance(piece, str):
            return piece
        return replace(piece, pictures=self.names, left_out=self.left_out)


def shown_to_model(result: FaceAnalysis, most: int) -> Shown:
    """The face, the map over it, and the two places of the strongest cue or cause side by side.

    Args:
        result: the case.
        most: how many pictures the model takes; the rest is left out.
    """
    crop = result.face.crop
    pictures = [crop][:most]
    names = list(_NAMES)
    if most > 1:
        pictures.append(blend(crop, result.attribution.map, _OPACITY))
    if most > 2:
        pair = _strongest_pair(result)
        if pair is None:
            names.pop()
        else:
            names[2] = " beside ".join(f"{n[0].lower()}{n[1:]}" for n in pair.names)
            pictures.append(np.hstack(pair.pictures))
    return Shown(tuple(names[:most]), tuple(pictures), tuple(names[most:]))


def _strongest_pair(result: FaceAnalysis) -> Pair | None:
    try:
        return next(iter(pairs_of(result, most=1)), None)
    except InferenceError:  # a face whose parts cannot be told apart is explained without
        return None
