"""Are mouth and teeth as finely drawn as the skin around them?"""

from __future__ import annotations

from typing import ClassVar

from assistant.cues.cue import Reading
from assistant.cues.part_detail import part_over_skin
from assistant.cues.window import FaceWindow
from assistant.types import QualityIssue

__all__ = ["MouthDetail"]


class MouthDetail:
    """Fine detail of lips and teeth over that of the skin; low where a mouth was drawn anew."""

    name: ClassVar[str] = "mouth-detail"
    sign: ClassVar[int] = -1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset()

    def measure(self, window: FaceWindow) -> Reading:
        """Times as much detail in the mouth as in the skin."""
        return part_over_skin(self, window, "mouth", ("mouth",), grow=0.03)
