"""Do both sides of the face mirror each other, once its pose is taken out?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from assistant.cues.cue import Reading, compared
from assistant.cues.window import FaceWindow
from assistant.faces.dense import FACE_OVAL, GROUPS
from assistant.types import QualityIssue

__all__ = ["Symmetry"]

_MIDDLE = (10, 168, 6, 195, 4, 2, 0, 17, 152)
# The outline runs around the face from its top: a point mirrors the one as far from the end.
_PAIRS = [
    *zip(FACE_OVAL[1:18], FACE_OVAL[:18:-1], strict=True),
    *zip(GROUPS["left eye"], GROUPS["right eye"], strict=True),
    *zip(GROUPS["left brow"], GROUPS["right brow"], strict=True),
]


class Symmetry:
    """How far the landmarks of one side lie from the mirrored other side, free of pose."""

    name: ClassVar[str] = "symmetry"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset()

    def measure(self, window: FaceWindow) -> Reading:
        """Root mean square distance in percent of the eyes' distance."""
        left = [a for a, _ in _PAIRS]
        right = [b for _, b in _PAIRS]
        solid = np.column_stack([window.points, window.depth]) / window.eyes
        own = solid[[*left, *right, *_MIDDLE]]
        mirrored = solid[[*right, *left, *_MIDDLE]] * [-1.0, 1.0, 1.0]
        own, mirrored = own - own.mean(0), mirrored - mirrored.mean(0)
        u, _, v = np.linalg.svd(own.T @ mirrored)
        turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))]) @ v
        rest = (own - mirrored @ turn.T)[:, :2]
        inside = window.radius < 1.0
        side = np.arange(window.grey.shape[1])[None, :] < window.points[list(_MIDDLE), 0].mean()
        return compared(
            self,
            window,
            100.0 * float(np.sqrt(np.square(rest).sum(1).mean())),
            ("left side of the face", inside & side),
            ("right side of the face", inside & ~side),
            quantity="shape",
            unit="% of the eyes' distance",
        )
