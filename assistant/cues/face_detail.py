"""Is the face as finely drawn as what lies right around it?"""

from __future__ import annotations

from typing import ClassVar

from assistant.cues.cue import Reading, compared, detail
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["FaceDetail"]

_LEAST_RING = 200


class FaceDetail:
    """Fine detail of the inner face over that of a ring around it; low where a face was put in."""

    name: ClassVar[str] = "face-detail"
    sign: ClassVar[int] = -1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset()

    def measure(self, window: FaceWindow) -> Reading:
        """Times as much detail in the face as around it."""
        ring = window.ring
        if ring.sum() < _LEAST_RING:
            return NotJudged(cue=self.name, reason="too little of the picture lies around the face")
        inner = window.radius < 0.85
        value = detail(window, inner) / detail(window, ring)
        return compared(self, window, value, ("face", inner), ("picture around it", ring))
