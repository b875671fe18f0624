"""A working fake: reports the faces it was given. For tests, demos and plugin authors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assistant.faces.alignment import TEMPLATE
from assistant.types import Detection, Image

__all__ = ["FixedFaceFinder"]

_Box = tuple[float, float, float, float]


class FixedFaceFinder:
    """Reports the same boxes for every picture, with the template's five points laid into them.

    Args:
        boxes: (x0, y0, x1, y1), each as shares of width and height in [0, 1].
        confidence: what is reported for the first; each further one gets 0.01 less.
    """

    name = "fixed-demo"

    def __init__(
        self, boxes: Sequence[_Box] = ((0.25, 0.2, 0.75, 0.9),), *, confidence: float = 0.99
    ) -> None:
        for box in boxes:
            if not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
                raise ValueError(f"expected 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1, got {box}")
        self._boxes = tuple(boxes)
        self._confidence = confidence

    def find(self, image: Image) -> tuple[Detection, ...]:
        """The given boxes in pixels of ``image``."""
        height, width = image.shape[:2]
        found = []
        for i, (x0, y0, x1, y1) in enumerate(self._boxes):
            left, top, right, bottom = x0 * width, y0 * height, x1 * width, y1 * height
            points = TEMPLATE * [right - left, bottom - top] + [left, top]
            found.append(
                Detection(
                    box_xyxy=(left, top, right, bottom),
                    landmarks=points.astype(np.float32),
                    confidence=max(0.0, self._confidence - 0.01 * i),
                )
            )
        return tuple(found)

    def provenance(self) -> Mapping[str, str]:
        """A fake has no model file."""
        return {"model": "none (demo)"}
