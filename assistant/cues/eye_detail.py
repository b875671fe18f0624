"""Are the eyes as finely drawn as the skin around them?"""

from __future__ import annotations

from typing import ClassVar

from assistant.cues.cue import Reading
from assistant.cues.part_detail import part_over_skin
from assistant.cues.window import FaceWindow
from assistant.types import QualityIssue

__all__ = ["EyeDetail"]


class EyeDetail:
    """Fine detail of both eyes over that of the skin; low where eyes were drawn anew."""

    name: ClassVar[str] = "eye-detail"
    sign: ClassVar[int] = -1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset({QualityIssue.DARK, QualityIssue.COVERED})

    def measure(self, window: FaceWindow) -> Reading:
        """Times as much detail in the eyes as in the skin."""
        return part_over_skin(self, window, "eyes", ("left eye", "right eye"), grow=0.05)
