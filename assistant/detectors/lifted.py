"""Scores of faces: those of their crops, with what their surroundings add.

A detector takes crops. Some weights read the picture around a face too
(:mod:`assistant.detectors.surroundings`): what that adds to the logit is the same for every crop of
the face, also for one with a part taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from assistant.interfaces import Detector, TraceableDetector
from assistant.types import CropSpec, Face, Image, Trace

__all__ = [
    "LiftedDetector",
    "SeesSurroundings",
    "Surroundings",
    "beside",
    "face_logits",
    "lifts_of",
]


class Surroundings(Protocol):
    """Reads the picture around a face."""

    def lift(self, picture: Image | None) -> float:
        """What is added to the face's logit, at least 0; 0 where nothing is seen."""
        ...


@runtime_checkable
class SeesSurroundings(Protocol):
    """A detector whose score of a face its surroundings may lift."""

    @property
    def surroundings(self) -> Surroundings | None:
        """What reads them; None where these weights do not."""
        ...


def lifts_of(detector: Detector, pictures: Sequence[Image | None]) -> NDArray[np.float64]:
    """What each picture around a face adds to its logit; zeros for detectors that do not look."""
    score = detector.surroundings if isinstance(detector, SeesSurroundings) else None
    return np.array([0.0 if score is None else score.lift(p) for p in pictures], np.float64)


def face_logits(detector: Detector, faces: Sequence[Face]) -> NDArray[np.float64]:
    """Raw scores of faces, each with what its surroundings add."""
    crops = detector.logits([face.crop for face in faces])
    return crops + lifts_of(detector, [face.around for face in faces])


def beside(detector: Detector, face: Face) -> Detector:
    """The detector for one face: every score it gives has what the face's surroundings add."""
    score = detector.surroundings if isinstance(detector, SeesSurroundings) else None
    if score is None or face.around is None:
        return detector
    kind = _TraceableLifted if isinstance(detector, TraceableDetector) else LiftedDetector
    return kind(detector, score, face.around)


class LiftedDetector:
    """A detector of crops of one face, whose surroundings add the same to each."""

    def __init__(self, detector: Detector, score: Surroundings, around: Image) -> None:
        self._detector, self._score, self._around = detector, score, around
        self.lift = score.lift(around)
        self.name = detector.name
        self.crop_spec: CropSpec = detector.crop_spec
        self.weights_sha256 = detector.weights_sha256

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """As the detector's, with the lift."""
        return self._detector.logits(crops) + self.lift

    def provenance(self) -> Mapping[str, str]:
        """As the detector's."""
        return self._detector.provenance()

    def change_of_lift(self, change: Callable[[Image], Image]) -> float:
        """How much more is added once the surroundings suffer a change of the file too."""
        return self._score.lift(change(self._around)) - self.lift

    def __getattr__(self, name: str) -> Any:
        return getattr(self._detector, name)


class _TraceableLifted(LiftedDetector):
    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """As the detector's, with the lift in the logit."""
        found = cast("TraceableDetector", self._detector).trace(crop, layers=layers)
        other = found.mirror
        return replace(
            found,
            logit=found.logit + self.lift,
            mirror=None if other is None else replace(other, logit=other.logit + self.lift),
        )
