"""The part of a picture that cues look at: a face and what lies around it, at a bounded scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.faces.dense import FACE_OVAL, GROUPS, DensePoints
from assistant.types import Image, QualityIssue

__all__ = ["WINDOW_EYES", "FaceWindow", "face_window", "shrunk"]

#: Faces with eyes further apart than this, in pixels, are reduced to it: larger ones are then
#: compared with the same genuine faces, and cost no more time.
WINDOW_EYES = 80.0
#: How far a window reaches beyond the face's outline, in widths of the face.
_MARGIN = 0.75

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class FaceWindow:
    """A face with its surroundings. Masks and planes are made once, when first asked for.

    Attributes:
        image: RGB uint8 HWC.
        points: 468 x 2 dense landmarks (x, y) in pixels of ``image``.
        depth: 468 values in the same pixels, negative towards the viewer.
        offset: of the window's corner in the frame, in frame pixels.
        scale: frame pixels in a pixel of ``image`` (1: not reduced).
        issues: what was found wrong with the face.
    """

    image: Image
    points: NDArray[np.float64]
    depth: NDArray[np.float64]
    offset: tuple[float, float]
    scale: float
    issues: frozenset[QualityIssue] = frozenset()

    @cached_property
    def eyes(self) -> float:
        """Distance of the eyes' middles in pixels (of a turned face: as if seen from the front)."""
        ends = [
            np.append(self.points[list(GROUPS[g])].mean(0), self.depth[list(GROUPS[g])].mean())
            for g in ("left eye", "right eye")
        ]
        return float(np.linalg.norm(ends[1] - ends[0]))

    @property
    def five(self) -> NDArray[np.float64]:
        """Eyes, nose tip and mouth corners, 5 x 2."""
        return DensePoints(points=self.points, depth=self.depth, confidence=1.0).five

    @cached_property
    def grey(self) -> Floats:
        """Brightness, 0 to 255."""
        return np.asarray(cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY), np.float32)

    @cached_property
    def lab(self) -> Floats:
        """CIE L*a*b*, H x W x 3."""
        return np.asarray(
            cv2.cvtColor(self.image.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), np.float32
        )

    @cached_property
    def second(self) -> Floats:
        """Squared second differences: fine detail, 4-neighbour Laplacian."""
        return np.asarray(np.square(cv2.Laplacian(self.grey, cv2.CV_32F)), np.float32)

    @cached_property
    def first(self) -> Floats:
        """Squared first differences (Sobel, in steps of one pixel)."""
        across = cv2.Sobel(self.grey, cv2.CV_32F, 1, 0, scale=1 / 8)
        down = cv2.Sobel(self.grey, cv2.CV_32F, 0, 1, scale=1 / 8)
        return np.asarray(np.square(across) + np.square(down), np.float32)

    @cached_property
    def radius(self) -> Floats:
        """How far out each pixel lies: 0 in the middle of the face, 1 on its outline."""
        height, width = self.grey.shape
        ring = self.points[list(FACE_OVAL)]
        middle = ring.mean(0)
        steps = ring - middle
        angles = np.arctan2(steps[:, 1], steps[:, 0])
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        order = np.argsort(angles)
        table = np.linspace(-np.pi, np.pi, 361)
        outline = np.interp(table, angles[order], lengths[order], period=2 * np.pi)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        u, v = x - np.float32(middle[0]), y - np.float32(middle[1])
        step = (np.arctan2(v, u) + np.pi) * (360 / (2 * np.pi))
        return np.asarray(np.hypot(u, v) / outline[np.rint(step).astype(int)], np.float32)

    def sector(self, count: int) -> NDArray[np.intp]:
        """The direction of each pixel from the middle of the face, as one of ``count``."""
        height, width = self.grey.shape
        middle = self.points[list(FACE_OVAL)].mean(0)
        y, x = np.mgrid[0:height, 0:width]
        turn = (np.arctan2(y - middle[1], x - middle[0]) + np.pi) / (2 * np.pi)
        return np.asarray(np.minimum((turn * count).astype(np.intp), count - 1))

    def part(self, *groups: str, grow: float = 0.0) -> Mask:
        """Hulls of face parts (keys of :data:`GROUPS`), grown by ``grow`` eye distances."""
        mask = np.zeros(self.grey.shape, np.uint8)
        for group in groups:
            hull = cv2.convexHull(np.rint(self.points[list(GROUPS[group])]).astype(np.int32))
            cv2.fillConvexPoly(mask, hull, 1)
        side = 2 * round(abs(grow) * self.eyes) + 1
        if side > 1:
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
            mask = (cv2.dilate if grow > 0 else cv2.erode)(mask, kernel)
        return mask.astype(bool)

    @cached_property
    def fineness(self) -> float:
        """Fine over coarse structure of the whole window, as a logarithm; compression lowers it."""
        return float(np.log((self.second.mean() + 0.01) / (self.first.mean() + 0.5)))

    @cached_property
    def skin(self) -> Mask:
        """The inner face without eyes, brows, mouth and nostrils."""
        features = self.part("left eye", "right eye", "left brow", "right brow", "mouth", grow=0.08)
        return (self.radius < 0.9) & ~features

    @cached_property
    def ring(self) -> Mask:
        """What lies right around the face, out to 0.45 of its own size."""
        return (self.radius > 1.08) & (self.radius < 1.45)

    def box(self, mask: Mask) -> tuple[float, float, float, float]:
        """The box of a mask in pixels of the frame, x0, y0, x1, y1."""
        y, x = np.nonzero(mask)
        corners = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], np.float64)
        return self.frame_box(corners)

    def frame_box(
        self, box: Sequence[float] | NDArray[np.float64]
    ) -> tuple[float, float, float, float]:
        """A box of the window in pixels of the frame."""
        x0, y0, x1, y1 = (float(v) * self.scale for v in box)
        left, top = self.offset
        return x0 + left, y0 + top, x1 + left, y1 + top


def face_window(
    frame: Image,
    points: NDArray[np.floating],
    depth: NDArray[np.floating],
    *,
    issues: Iterable[QualityIssue] = (),
    eyes: float = WINDOW_EYES,
) -> FaceWindow:
    """Cut a face with its surroundings out of a frame; reduce it where it is large.

    Args:
        frame: RGB uint8 HWC.
        points: 468 x 2 in pixels of ``frame``.
        depth: 468 values in the same pixels.
        issues: what was found wrong with the face; cues gate themselves by them.
        eyes: eye distance in pixels to which a larger face is reduced.
    """
    height, width = frame.shape[:2]
    points = np.asarray(points, np.float64)
    low, high = points.min(0), points.max(0)
    margin = _MARGIN * float((high - low).max())
    x0, y0 = (int(max(0, np.floor(v - margin))) for v in low)
    x1 = int(np.clip(np.ceil(high[0] + margin), x0 + 1, width))
    y1 = int(np.clip(np.ceil(high[1] + margin), y0 + 1, height))
    cut = np.ascontiguousarray(frame[y0:y1, x0:x1])
    whole = FaceWindow(
        image=cut,
        points=points - [x0, y0],
        depth=np.asarray(depth, np.float64),
        offset=(float(x0), float(y0)),
        scale=1.0,
        issues=frozenset(issues),
    )
    return whole if whole.eyes <= eyes else shrunk(whole, eyes / whole.eyes)


def shrunk(window: FaceWindow, factor: float) -> FaceWindow:
    """The same window with ``factor`` (below 1) of its pixels along each side."""
    rows, columns = window.image.shape[:2]
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    factor = size[0] / columns
    return FaceWindow(
        image=np.asarray(cv2.resize(window.image, size, interpolation=cv2.INTER_AREA), np.uint8),
        points=(window.points + 0.5) * factor - 0.5,
        depth=window.depth * factor,
        offset=window.offset,
        scale=window.scale / factor,
        issues=window.issues,
    )
