"""Is the mouth drawn more finely than eyes, brows and nose?"""

from __future__ import annotations

from typing import ClassVar

from assistant.cues.cue import Reading, compared, detail
from assistant.cues.window import FaceWindow
from assistant.types import NotJudged, QualityIssue

__all__ = ["MouthSharpness"]

_LEAST_PIXELS = 40
_OTHERS = ("left eye", "right eye", "left brow", "right brow", "nose")


class MouthSharpness:
    """Fine detail of the mouth over that of the other features.

    High where a mask was laid over a face that has another mouth, or where the rest was smoothed.
    """

    name: ClassVar[str] = "mouth-sharpness"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset({QualityIssue.COVERED})

    def measure(self, window: FaceWindow) -> Reading:
        """Times as much detail in the mouth as in eyes, brows and nose."""
        mouth, others = window.part("mouth"), window.part(*_OTHERS)
        if min(mouth.sum(), others.sum()) < _LEAST_PIXELS:
            return NotJudged(cue=self.name, reason="too little of the mouth can be seen")
        value = detail(window, mouth) / detail(window, others)
        return compared(self, window, value, ("mouth", mouth), ("eyes, brows and nose", others))
