"""Are eyes, brows, nose and mouth as finely drawn as the skin between them?"""

from __future__ import annotations

from typing import ClassVar

from assistant.cues.cue import Reading
from assistant.cues.part_detail import part_over_skin
from assistant.cues.window import FaceWindow
from assistant.types import QualityIssue

__all__ = ["FeatureDetail"]

_FEATURES = ("left eye", "right eye", "left brow", "right brow", "nose", "mouth")


class FeatureDetail:
    """Fine detail of all features over that of the skin; low where a face was drawn anew."""

    name: ClassVar[str] = "feature-detail"
    sign: ClassVar[int] = -1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset({QualityIssue.COVERED})

    def measure(self, window: FaceWindow) -> Reading:
        """Times as much detail in the features as in the skin."""
        return part_over_skin(self, window, "eyes, nose and mouth", _FEATURES, grow=0.0)
