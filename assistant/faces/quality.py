"""What makes a face hard to judge, each as a measurement against a limit.

All but size, cut-off and confidence are measured on a normalised crop of 128 x 128 pixels, so that
they mean the same for every picture and every detector. The limits were chosen from their
distributions over research face sets: each flags what a person would call poor, and none flags a
clear portrait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.faces.alignment import align, similarity, template_points
from assistant.faces.eyes import EYES_SEEN, eyes_seen
from assistant.types import CropSpec, Detection, Image, QualityIssue, QualityNote, Severity

__all__ = [
    "LIMITS",
    "MIN_FACE_SIDE",
    "domain_measures",
    "is_too_small",
    "measure",
    "quality_notes",
]

#: Faces whose box is narrower or lower than this, in pixels, are not scored at all.
MIN_FACE_SIDE = 24.0

_SPEC = CropSpec(size=128, scale=1.0)


class Limit(NamedTuple):
    """When an issue is told, and from where on the detector is as good as blind to the face.

    Attributes:
        told: a value beyond it is a note.
        unit: of both limits.
        larger_is_worse: what "beyond" means.
        blind: a value beyond it blinds; None where no value of the issue does.
    """

    told: float
    unit: str
    larger_is_worse: bool
    blind: float | None = None

    def beyond(self, value: float, limit: float) -> bool:
        """Whether ``value`` is worse than ``limit``."""
        return value > limit if self.larger_is_worse else value < limit


#: In order of weight.
LIMITS: dict[QualityIssue, Limit] = {
    QualityIssue.SMALL: Limit(64.0, "pixels", False, blind=40.0),
    QualityIssue.CUT_OFF: Limit(10.0, "%", True, blind=30.0),
    QualityIssue.COVERED: Limit(EYES_SEEN, "%", False, blind=EYES_SEEN),
    QualityIssue.TURNED: Limit(30.0, "°", True, blind=45.0),
    QualityIssue.BLURRED: Limit(0.3, "sharpness", False, blind=0.1),
    QualityIssue.COMPRESSED: Limit(1.5, "times", True),
    QualityIssue.DARK: Limit(70.0, "of 255", False, blind=30.0),
    QualityIssue.BRIGHT: Limit(15.0, "%", True),
    QualityIssue.GREYSCALE: Limit(3.0, "of 255", False, blind=3.0),
    QualityIssue.UNSURE: Limit(60.0, "%", False),
}
_NOSE_DEPTH = 0.55  # nose tip before the plane of eyes and mouth, in eye distances
_EYE_TO_MOUTH = 1.125  # height of a frontal face's eye line over its mouth line, in eye distances


def is_too_small(detection: Detection) -> bool:
    """Whether a face is too small to be scored (see :data:`MIN_FACE_SIDE`)."""
    return face_side(detection) < MIN_FACE_SIDE


def quality_notes(frame: Image, detection: Detection) -> tuple[QualityNote, ...]:
    """The quality issues of a face, weightiest first.

    Args:
        frame: RGB uint8 HWC.
        detection: the face, in pixels of ``frame``.
    """
    values = measure(frame, detection)
    notes = []
    for issue, limit in LIMITS.items():
        value = values[issue]
        if not limit.beyond(value, limit.told):
            continue
        blinds = limit.blind is not None and limit.beyond(value, limit.blind)
        notes.append(
            QualityNote(
                issue=issue,
                value=round(value, 3),
                limit=limit.told,
                unit=limit.unit,
                severity=Severity.BLINDS if blinds else Severity.WEAKENS,
            )
        )
    small = any(note.issue is QualityIssue.SMALL for note in notes)
    # a small face is blurred once enlarged: that is said already
    return tuple(n for n in notes if not (small and n.issue is QualityIssue.BLURRED))


def measure(frame: Image, detection: Detection) -> dict[QualityIssue, float]:
    """Every measurement behind the notes, in the units of :data:`LIMITS`."""
    crop, _ = align(frame, detection.landmarks, _SPEC)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    values: dict[QualityIssue, Callable[[], float]] = {
        QualityIssue.SMALL: lambda: face_side(detection),
        QualityIssue.CUT_OFF: lambda: cut_off_percent(frame, detection),
        QualityIssue.TURNED: lambda: turned_degrees(detection.landmarks),
        QualityIssue.BLURRED: lambda: sharpness(grey),
        QualityIssue.COMPRESSED: lambda: blockiness(frame, detection),
        QualityIssue.DARK: lambda: float(np.percentile(_inner(grey), 95)),
        QualityIssue.BRIGHT: lambda: 100.0 * float((_inner(grey) >= 250).mean()),
        QualityIssue.GREYSCALE: lambda: colourfulness(crop),
        QualityIssue.COVERED: lambda: eyes_seen(crop),
        QualityIssue.UNSURE: lambda: 100.0 * detection.confidence,
    }
    return {issue: value() for issue, value in values.items()}


def domain_measures(frame: Image, detection: Detection) -> dict[str, float]:
    """What the domain check compares: ``face_side`` (pixels), ``sharpness`` and ``blockiness``."""
    crop, _ = align(frame, detection.landmarks, _SPEC)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return {
        "face_side": face_side(detection),
        "sharpness": sharpness(grey),
        "blockiness": blockiness(frame, detection),
    }


def face_side(detection: Detection) -> float:
    """The shorter side of the face's box in pixels."""
    x0, y0, x1, y1 = detection.box_xyxy
    return max(0.0, min(x1 - x0, y1 - y0))


def cut_off_percent(frame: Image, detection: Detection) -> float:
    """How much of the face, brows to chin, lies outside the picture, in percent."""
    spec = CropSpec(size=100, scale=1.0)
    to_crop = np.vstack([similarity(detection.landmarks, template_points(spec)), [0, 0, 1]])
    to_frame = np.linalg.inv(to_crop)[:2]
    x, y = np.meshgrid(np.linspace(15, 85, 30), np.linspace(25, 105, 30))
    inside_oval = ((x - 50) / 35) ** 2 + ((y - 65) / 40) ** 2 <= 1
    points = np.stack([x[inside_oval], y[inside_oval]], 1) @ to_frame[:, :2].T + to_frame[:, 2]
    height, width = frame.shape[:2]
    outside = (points < -0.5) | (points > [width - 0.5, height - 0.5])
    return 100.0 * float(outside.any(1).mean())


def turned_degrees(landmarks: NDArray[np.floating]) -> float:
    """The larger of yaw and pitch in degrees, from the nose's place between eyes and mouth."""
    points = np.asarray(landmarks, np.float64)
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    down = (mouth - eyes) / max(float(np.linalg.norm(mouth - eyes)), 1e-9)
    across = np.array([down[1], -down[0]])
    width = max(abs(float((points[1] - points[0]) @ across)), 1e-6)
    height = max(float(np.linalg.norm(mouth - eyes)), 1e-6)
    offset = float((points[2] - (eyes + mouth) / 2) @ across)
    yaw = np.degrees(np.arctan2(abs(offset) / width, _NOSE_DEPTH))
    sink = float((points[2] - eyes) @ down) / height - 0.5
    pitch = np.degrees(np.arctan2(abs(sink) * _EYE_TO_MOUTH, _NOSE_DEPTH))
    return float(max(yaw, pitch))


def sharpness(grey: NDArray[np.float32]) -> float:
    """Energy of second differences over energy of first ones, on the normalised crop.

    Free of contrast and brightness; falls with the square of a blur's width (0.8: a sharp portrait,
    0.28: the same under a Gaussian blur of 1 % of the face's height).
    """
    values = _inner(cv2.GaussianBlur(grey, (0, 0), 0.8).astype(np.float32))
    second = cv2.Laplacian(values, cv2.CV_32F)[2:-2, 2:-2]
    across = cv2.Sobel(values, cv2.CV_32F, 1, 0, scale=1 / 8)[2:-2, 2:-2]
    down = cv2.Sobel(values, cv2.CV_32F, 0, 1, scale=1 / 8)[2:-2, 2:-2]
    first = np.square(across).mean() + np.square(down).mean()
    return float(np.square(second).mean() / (first + 0.5))


def blockiness(frame: Image, detection: Detection) -> float:
    """Steps across 8-pixel block borders over steps beside them, in the face's pixels (1: none)."""
    x0, y0, x1, y1 = (round(v) for v in detection.box_xyxy)
    patch = frame[max(0, y0) : y1, max(0, x0) : x1]
    if min(patch.shape[:2]) < 48:
        return 1.0
    grey = cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_RGB2GRAY).astype(np.float32)
    ratios = []
    for axis in (0, 1):
        step = np.abs(np.diff(grey, axis=axis)).mean(1 - axis)
        # a step at a block border stands out from its two neighbours; any phase of the grid
        excess = step[1:-1] / (0.5 * (step[:-2] + step[2:]) + 0.5)
        ratios.append(max(float(np.median(excess[phase::8])) for phase in range(8)))
    return float(np.mean(ratios))


def colourfulness(crop: Image) -> float:
    """Mean distance of the three channels from their mean, in [0, 255]."""
    values = crop.astype(np.float32)
    return float(np.abs(values - values.mean(2, keepdims=True)).mean())


def _inner(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The face without hair and background: brows to chin of the normalised crop."""
    size = grey.shape[0]
    return grey[int(0.32 * size) : int(0.95 * size), int(0.2 * size) : int(0.8 * size)]
