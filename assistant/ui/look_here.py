"""What can be seen to differ, as pairs of enlarged pictures side by side. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from assistant.evidence import CueFact, NoCueFact
from assistant.overlay import png_bytes
from assistant.types import FaceAnalysis, Image
from assistant.ui.markup import data_uri, render

__all__ = ["look_here_panel", "with_amplified_detail"]

_GAIN = 4.0
_FINE = 2.0


def look_here_panel(result: FaceAnalysis) -> str:
    """A pair for each visible cue that speaks, or that none does; empty where none was measured."""
    facts = [f for f in result.evidence.of(CueFact) if f.visible]
    nothing = result.evidence.first(NoCueFact)
    if not facts and nothing is None:
        return ""
    found = {f.reading.cue: f.pictures for f in result.cues.findings}
    pairs = [
        (fact, _uris(fact, pictures), _uris(fact, [with_amplified_detail(p) for p in pictures]))
        for fact in facts
        if (pictures := found.get(fact.cue_name)) is not None
    ]
    return render(
        "measured", "look_here_panel", pairs, "" if facts or not nothing else nothing.text
    )


def with_amplified_detail(picture: Image) -> Image:
    """A picture whose fine detail is four times as strong: to be labelled as amplified."""
    values = picture.astype(np.float32)
    soft = cv2.GaussianBlur(values, (0, 0), _FINE)
    return np.asarray(np.clip(np.rint(soft + _GAIN * (values - soft)), 0, 255), np.uint8)


def _uris(fact: CueFact, pictures: Sequence[Image]) -> list[tuple[str, str]]:
    """Both places by name, as pictures inside the page; empty where they were not kept."""
    if len(pictures) != 2:
        return []
    return [(n, data_uri(png_bytes(p))) for n, p in zip(fact.places, pictures, strict=True)]
