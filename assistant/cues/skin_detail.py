"""Is the skin as finely drawn as what lies right around the face?"""

from __future__ import annotations

from typing import ClassVar

from assistant.cues.cue import Reading, compared, detail
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["SkinDetail"]

_LEAST_RING = 200


class SkinDetail:
    """Fine detail of the skin over that of a ring around the face; low where skin was smoothed."""

    name: ClassVar[str] = "skin-detail"
    sign: ClassVar[int] = -1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset()

    def measure(self, window: FaceWindow) -> Reading:
        """Times as much detail in the skin as around the face."""
        ring = window.ring
        if ring.sum() < _LEAST_RING:
            return NotJudged(cue=self.name, reason="too little of the picture lies around the face")
        skin = window.skin
        value = detail(window, skin) / detail(window, ring)
        return compared(
            self, window, value, ("skin of the face", skin), ("picture around it", ring)
        )
