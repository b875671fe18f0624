"""The stage: every cue that has a reference looks at a face, and what is unusual speaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.cues.cue import Cue, refused
from assistant.cues.reference import CueReference
from assistant.cues.window import FaceWindow, face_window
from assistant.errors import InferenceError
from assistant.faces.dense import DenseLandmarks
from assistant.types import (
    ANY_KIND,
    BaseRate,
    CueFinding,
    CueReading,
    CuesLooked,
    Image,
    NotJudged,
    QualityIssue,
)

__all__ = ["VisibleCues", "base_rates", "enlarged"]

_SURE_OF_POINTS = 0.5
#: At least so many times as many manipulated as genuine faces must show what is told.
_TELLING = 2.0
_PICTURE_SIDE = 240


class VisibleCues:
    """Looks at faces with the cues that a reference holds limits for.

    Args:
        cues: all cues; those without a limit in the reference are not asked.
        reference: what genuine and manipulated faces show.
        dense: finds the 468 points.
        over_time: what genuine and manipulated people of clips show; None: no cue over time is
            measured.
    """

    def __init__(
        self,
        cues: Iterable[Cue],
        reference: CueReference,
        dense: DenseLandmarks,
        over_time: CueReference | None = None,
    ) -> None:
        self.cues = tuple(cue for cue in cues if cue.name in reference.limits)
        self._reference = reference
        self._dense = dense
        self.over_time = over_time

    def look(
        self, frame: Image, landmarks: NDArray[np.floating], issues: Sequence[QualityIssue] = ()
    ) -> CuesLooked:
        """What the cues say of one face.

        Args:
            frame: RGB uint8 HWC, the whole picture.
            landmarks: the five points, 5 x 2 in its pixels.
            issues: what was found wrong with the face.

        Returns:
            A finding or a reason for every cue. Never raises for a picture that cannot be judged.
        """
        try:
            points = self._dense.find(frame, landmarks)
        except InferenceError:
            return self._none("its points could not be found")
        if points.confidence < _SURE_OF_POINTS:
            return self._none("its points could not be found with confidence")
        window = face_window(frame, points.points, points.depth, issues=issues)
        return self.look_in(window, frame)

    def look_in(self, window: FaceWindow, frame: Image | None = None) -> CuesLooked:
        """The same of a window that was cut before; pictures are made where ``frame`` is given."""
        found: list[CueFinding] = []
        silent: list[NotJudged] = []
        for cue in self.cues:
            read = refused(cue, window) or cue.measure(window)
            if isinstance(read, NotJudged):
                silent.append(read)
            else:
                found.append(self._finding(cue, read, window))
        found.sort(key=lambda f: (not f.beyond, not f.visible, f.genuine.share, f.reading.cue))
        return CuesLooked(
            findings=tuple(
                _with_pictures(f, frame) if f.beyond and f.visible and frame is not None else f
                for f in found
            ),
            not_judged=tuple(silent),
        )

    def _finding(self, cue: Cue, read: CueReading, window: FaceWindow) -> CueFinding:
        genuine, manipulated, speaks = base_rates(
            cue, read.value, window.eyes, window.fineness, self._reference
        )
        return CueFinding(
            reading=read,
            genuine=genuine,
            manipulated=manipulated,
            beyond=speaks,
            visible=cue.visible,
            kind=self._reference.tells_of.get(cue.name, ANY_KIND),
        )

    def _none(self, reason: str) -> CuesLooked:
        return CuesLooked(not_judged=tuple(NotJudged(cue=c.name, reason=reason) for c in self.cues))


class Signed(Protocol):
    """What is compared with a reference by its name, and which of its values are unusual."""

    @property
    def name(self) -> str:
        """In the reference."""
        ...

    @property
    def sign(self) -> int:
        """1 where larger values are the less usual ones, -1 where smaller ones are."""
        ...


def base_rates(
    cue: Signed, value: float, eyes: float, fineness: float, reference: CueReference
) -> tuple[BaseRate, BaseRate, bool]:
    """How many genuine and manipulated faces show a value, and whether the cue speaks of it.

    The manipulated ones are those of the kind that the cue tells of.
    """
    given = (cue.name, cue.sign, value, eyes, fineness)
    genuine = reference.genuine.rate(*given)
    manipulated = reference.manipulated.rate(*given, kind=reference.tells_of.get(cue.name, ""))
    rare = genuine.share <= reference.limits[cue.name]
    telling = manipulated.share >= _TELLING * max(genuine.share, 1.0 / genuine.faces)
    return genuine, manipulated, rare and telling


def enlarged(frame: Image, boxes: Sequence[tuple[float, float, float, float]]) -> tuple[Image, ...]:
    """Places of a frame as squares of one size, cut and enlarged alike.

    A square that would reach beyond the frame is moved into it.

    Args:
        frame: RGB uint8 HWC.
        boxes: in its pixels; the largest sets the side of all cuts.
    """
    side = max(max(x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes)
    side = min(max(8, round(1.15 * side)), *frame.shape[:2])
    return tuple(_square(frame, box, side) for box in boxes)


def _square(frame: Image, box: tuple[float, float, float, float], side: int) -> Image:
    middle = (box[1] + box[3]) / 2, (box[0] + box[2]) / 2
    top, left = (
        int(np.clip(round(m - side / 2), 0, length - side))
        for m, length in zip(middle, frame.shape[:2], strict=True)
    )
    cut = frame[top : top + side, left : left + side]
    how = cv2.INTER_CUBIC if side < _PICTURE_SIDE else cv2.INTER_AREA
    return np.asarray(cv2.resize(cut, (_PICTURE_SIDE, _PICTURE_SIDE), interpolation=how), np.uint8)


def _with_pictures(finding: CueFinding, frame: Image) -> CueFinding:
    boxes = [place.box_xyxy for place in finding.reading.places]
    return replace(finding, pictures=enlarged(frame, boxes))
