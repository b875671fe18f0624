"""What is worth looking at: pairs of enlarged pictures and their place in the whole one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from assistant.evidence import EffectFact, NoCueFact
from assistant.overlay import png_bytes
from assistant.pairs import Pair, pairs_of, with_amplified_detail
from assistant.types import FaceAnalysis, Image
from assistant.ui.markup import data_uri, render

__all__ = ["WholePicture", "look_here_panel", "whole_picture"]

_LONGEST, _QUALITY = 420, 82


@dataclass(frozen=True, slots=True)
class WholePicture:
    """A frame made small, as a data URI, and its own width and height in pixels."""

    uri: str
    width: int
    height: int


def whole_picture(frame: Image) -> WholePicture:
    """A frame, RGB uint8 HWC, as it is shown beside each pair."""
    height, width = frame.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return WholePicture(data_uri(jpeg.tobytes(), "image/jpeg"), width, height)


def look_here_panel(result: FaceAnalysis, whole: WholePicture | None = None) -> str:
    """Up to three pairs, the visible cues first; empty where there is nothing to say or to show.

    Args:
        result: the face.
        whole: the picture that the face is in; None: the places are not shown in it.
    """
    pairs = pairs_of(result)
    nothing = result.evidence.first(NoCueFact)
    if not pairs and nothing is None:
        return ""
    causes = sum(isinstance(pair.fact, EffectFact) for pair in pairs)
    return render(
        "look_here",
        "panel",
        [(pair, isinstance(pair.fact, EffectFact), _figures(pair)) for pair in pairs],
        whole,
        nothing.text if nothing else "",
        causes,
    )


def _figures(pair: Pair) -> list[tuple[str, str, str]]:
    """Both pictures: name, as it is, and with its detail amplified."""
    return [
        (name, data_uri(png_bytes(p)), data_uri(png_bytes(with_amplified_detail(p))))
        for name, p in zip(pair.names, pair.pictures, strict=True)
    ]
