"""Does the colour step along a line inside the face's outline?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["EdgeColour"]

_BANDS = np.arange(0.5, 1.0, 0.05)
_SECTORS = 24


class EdgeColour:
    """The largest colour step between bands that run parallel to the face's outline, inside it.

    High where a face of another colour was laid over the first.
    """

    name: ClassVar[str] = "edge-colour"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset(
        {QualityIssue.GREYSCALE, QualityIssue.COVERED}
    )

    def measure(self, window: FaceWindow) -> Reading:
        """Largest median step of chroma between neighbouring bands, in CIE a*b*."""
        band = np.digitize(window.radius, _BANDS) - 1
        inside = (band >= 0) & (band < len(_BANDS) - 1)
        if inside.sum() < 400:
            return NotJudged(cue=self.name, reason="too little of the face's edge can be seen")
        number = band[inside] * _SECTORS + window.sector(_SECTORS)[inside]
        count = np.bincount(number, minlength=(len(_BANDS) - 1) * _SECTORS)
        means = [
            np.bincount(number, window.lab[..., c][inside], len(count)) / np.maximum(count, 1)
            for c in (1, 2)
        ]
        seen = (count > 2).reshape(-1, _SECTORS)
        steps = np.hypot(*(np.diff(m.reshape(-1, _SECTORS), axis=0) for m in means))
        both = seen[1:] & seen[:-1]
        along = [
            float(np.median(s[b])) if b.sum() > _SECTORS / 2 else 0.0
            for s, b in zip(steps, both, strict=True)
        ]
        at = int(np.argmax(along))
        return compared(
            self,
            window,
            along[at],
            ("outer side of the step", band == at + 1),
            ("inner side of the step", band == at),
            quantity="colour",
            unit="units of colour",
        )
