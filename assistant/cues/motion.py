"""Cues over time: what of a face changes from frame to frame unlike the rest of the clip.

Each compares two things within one clip of one person, so that light, camera and codec touch both.
No pulse and no blinks are read: a driver's pulse survives in good fakes, and fakes blink.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from assistant.cues.cue import LEAST_EYES, Reading
from assistant.cues.moments import VALUES
from assistant.cues.reference import CueReference
from assistant.cues.stage import base_rates
from assistant.types import (
    ANY_KIND,
    CueFinding,
    CuePlace,
    CueReading,
    CuesLooked,
    NotJudged,
    QualityIssue,
)

__all__ = ["MOTION_CUES", "SPOILT", "Motion", "MotionCue", "look_over_time", "widest"]

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]
_CLOSE = 0.45  # seconds between two frames that are compared
_LEAST_PAIRS = 8
_LEAST_INSIDE = 2
#: What spoils a frame for every cue over time.
SPOILT = frozenset({QualityIssue.TURNED, QualityIssue.BLURRED, QualityIssue.CUT_OFF})
_MOST_SPOILT = 0.5
_GREYS, _SHARE, _COSINE = 0.3, 0.01, 2e-4  # floors: what rounding and the codec do to a still face


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """A person over time.

    Attributes:
        seconds: N, rising.
        values: N x 9, see :data:`assistant.cues.moments.VALUES`.
        looks: N x d, what the face looks like to the detector's tower; empty where it shows none.
        shots: N, the shot that each moment is of.
        spoilt: N, whether the frame's face is turned, blurred or cut off.
        eyes: median distance of the eyes in pixels of the frame.
        box_xyxy: of the face, in the frame that is told of.
        inside: N, the moments of the stretches that stand out; None where nothing does.
    """

    seconds: Array
    values: Array
    looks: Array
    shots: NDArray[np.integer]
    spoilt: NDArray[np.bool_]
    eyes: float
    box_xyxy: Box
    inside: NDArray[np.bool_] | None = None

    def column(self, name: str) -> Array:
        """One of :data:`VALUES` over time."""
        return self.values[:, VALUES.index(name)]

    @property
    def fineness(self) -> float:
        """Logarithm of the fine gradients around the face: less of them after a hard codec."""
        return float(np.log(np.nanmedian(self.column("ground")) + 0.1))

    @property
    def close(self) -> NDArray[np.bool_]:
        """N - 1: whether a moment and the next are of one shot and near enough to be compared."""
        return np.asarray((np.diff(self.seconds) <= _CLOSE) & (np.diff(self.shots) == 0))

    def changes(self) -> Array:
        """N - 1: by how much the looks of neighbours differ (1 - cosine)."""
        unit = self.looks / np.linalg.norm(self.looks, axis=1, keepdims=True)
        return np.asarray(1.0 - (unit[1:] * unit[:-1]).sum(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionCue:
    """One comparison over time; the attributes are those of :class:`assistant.cues.cue.Cue`.

    ``of_stretch``: only where a stretch stands out. ``value``: of a motion; NaN: it has none.
    """

    name: str
    quantity: str
    places: tuple[str, str]
    value: Callable[[Motion], float]
    unit: str = "times"
    of_stretch: bool = False
    sign: int = 1
    visible: bool = True

    gates: ClassVar[frozenset[QualityIssue]] = SPOILT

    def measure(self, motion: Motion) -> Reading:
        """The reading, or why there is none."""
        reason = _refused(motion, of_stretch=self.of_stretch)
        value = float("nan") if reason else self.value(motion)
        if not np.isfinite(value):
            reason = reason or "nothing can be seen around the face"
            return NotJudged(cue=self.name, reason=reason)
        first, second = self.places
        return CueReading(
            cue=self.name,
            quantity=self.quantity,
            value=value,
            unit=self.unit,
            places=(
                CuePlace(name=first, box_xyxy=motion.box_xyxy),
                CuePlace(name=second, box_xyxy=_wider(motion.box_xyxy)),
            ),
        )


def _refused(motion: Motion, *, of_stretch: bool) -> str:
    if motion.eyes < LEAST_EYES:
        return f"the eyes are {motion.eyes:.0f} pixels apart, and {LEAST_EYES:.0f} are needed"
    if motion.spoilt.mean() > _MOST_SPOILT:
        return "the face is turned away, blurred or cut off in most frames"
    if int(motion.close.sum()) < _LEAST_PAIRS:
        return "too few frames were read that lie close in time"
    if of_stretch:
        if motion.inside is None:
            return "no part of the clip stands out"
        if min(motion.inside.sum(), (~motion.inside).sum()) < _LEAST_INSIDE:
            return "the stretch or the rest of the clip has too few frames"
        if not motion.looks.size:
            return "the detector shows no inside"
    return ""


def _wider(box: Box) -> Box:
    left, top, right, bottom = box
    x, y = 0.3 * (right - left), 0.3 * (bottom - top)
    return max(0.0, left - x), max(0.0, top - y), right + x, bottom + y


def _flicker(motion: Motion) -> float:
    face, around = (_steps(motion, motion.column(name)) for name in ("face", "around"))
    return (face + _GREYS) / (around + _GREYS)


def _edge_flicker(motion: Motion) -> float:
    edge, ground = (_steps(motion, np.log(motion.column(n) + 0.1)) for n in ("edge", "ground"))
    return (edge + _SHARE) / (ground + _SHARE)


def _steps(motion: Motion, series: Array) -> float:
    steps = np.abs(np.diff(series))[motion.close]
    return float(np.median(steps)) if np.isfinite(steps).all() else float("nan")


def _jitter(motion: Motion) -> float:
    """How far the nose is from where it would be half way between its neighbours in time."""
    middle = np.flatnonzero(motion.close[1:] & motion.close[:-1]) + 1
    if not len(middle):
        return float("nan")
    before, at, after = (motion.seconds[middle + k] for k in (-1, 0, 1))
    share = ((at - before) / (after - before))[:, None]
    points = np.stack([motion.column("nose-x"), motion.column("nose-y")], axis=1)
    expected = (1 - share) * points[middle - 1] + share * points[middle + 1]
    return 100.0 * float(np.median(np.linalg.norm(points[middle] - expected, axis=1)))


def _drift(motion: Motion) -> float:
    inside = motion.inside
    if inside is None:
        return float("nan")
    one, other = motion.looks[inside].mean(0), motion.looks[~inside].mean(0)
    apart = 1.0 - float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    return (apart + _COSINE) / (float(np.median(motion.changes()[motion.close])) + _COSINE)


def _border_jump(motion: Motion) -> float:
    if motion.inside is None:
        return float("nan")
    borders = motion.inside[1:] != motion.inside[:-1]
    changes, at = motion.changes(), borders & motion.close
    rest = motion.close & ~borders
    if not at.any() or not rest.any():
        return float("nan")
    return float((changes[at].max() + _COSINE) / (np.median(changes[rest]) + _COSINE))


_STRETCH, _REST = "stretch that stands out", "rest of the clip"

MOTION_CUES = (
    MotionCue(
        name="brightness-flicker",
        quantity="change of brightness between frames",
        places=("face", "surroundings of the face"),
        value=_flicker,
    ),
    MotionCue(
        name="edge-flicker",
        quantity="change of fine detail between frames",
        places=("edge of the face", "surroundings of the face"),
        value=_edge_flicker,
    ),
    MotionCue(
        name="landmark-jitter",
        quantity="place",
        places=("nose", "path of the head"),
        value=_jitter,
        unit="% of the distance of the eyes",
    ),
    MotionCue(
        name="identity-drift",
        quantity="difference of looks",
        places=(_STRETCH, _REST),
        value=_drift,
        of_stretch=True,
        visible=False,
    ),
    MotionCue(
        name="border-jump",
        quantity="change of looks between frames",
        places=("border of the stretch", _REST),
        value=_border_jump,
        of_stretch=True,
        visible=False,
    ),
)


def look_over_time(
    motion: Motion, reference: CueReference, cues: Sequence[MotionCue] = MOTION_CUES
) -> CuesLooked:
    """What the cues say of a person over time: a finding or a reason for each that has a limit."""
    found, silent = [], []
    for cue in cues:
        if cue.name not in reference.limits:
            continue
        read = cue.measure(motion)
        if isinstance(read, NotJudged):
            silent.append(read)
            continue
        genuine, manipulated, speaks = base_rates(
            cue, read.value, motion.eyes, motion.fineness, reference
        )
        found.append(
            CueFinding(
                reading=read,
                genuine=genuine,
                manipulated=manipulated,
                beyond=speaks,
                visible=cue.visible,
                kind=reference.tells_of.get(cue.name, ANY_KIND),
            )
        )
    return CuesLooked(findings=tuple(found), not_judged=tuple(silent))


def widest(motion: Motion, shortest: float = 1.0, longest: float = 4.0) -> Motion:
    """The same with the part inside that differs most in its looks: what chance alone may do.

    Genuine clips have no stretch; a stretch is held against the worst part of each of them.
    """
    best, found = -1.0, motion
    if not motion.looks.size:
        return motion
    for first, begin in enumerate(motion.seconds):
        for last in range(first + 1, len(motion.seconds)):
            length = motion.seconds[last] - begin
            if not shortest <= length <= longest:
                continue
            inside = np.zeros(len(motion.seconds), bool)
            inside[first : last + 1] = True
            tried = replace(motion, inside=inside)
            value = _drift(tried) if not inside.all() else -1.0
            if value > best:
                best, found = value, tried
    return found
