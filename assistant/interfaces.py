"""The stages as Protocols, each with a real implementation, a fake and a contract suite."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from assistant.types import (
    Attribution,
    Calibrated,
    CropSpec,
    Detection,
    DomainFinding,
    Image,
    Reading,
    Trace,
    VlmRequest,
)

__all__ = [
    "Attributor",
    "Calibrator",
    "Detector",
    "DomainCheck",
    "FaceFinder",
    "ReadingDetector",
    "TraceableDetector",
    "UprightFinder",
    "VlmBackend",
]


@runtime_checkable
class FaceFinder(Protocol):
    """Finds faces in a frame."""

    name: str

    def find(self, image: Image) -> tuple[Detection, ...]:
        """All faces of ``image`` (RGB uint8 HWC), most confident first; empty without one."""
        ...

    def provenance(self) -> Mapping[str, str]:
        """Model file and its SHA-256."""
        ...


@runtime_checkable
class UprightFinder(FaceFinder, Protocol):
    """A finder that turns pictures which may lie on their side, and can be told not to."""

    def find_as_shown(self, image: Image) -> tuple[Detection, ...]:
        """As :meth:`find`, of a picture that is known to be upright."""
        ...


@runtime_checkable
class Detector(Protocol):
    """Scores aligned face crops. Owns resize and normalisation."""

    name: str
    crop_spec: CropSpec
    weights_sha256: str

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """Raw scores, one a crop; larger = more likely manipulated.

        Raises:
            InferenceError: a score is not finite.
        """
        ...

    def provenance(self) -> Mapping[str, str]:
        """Base model, weights file and SHA-256."""
        ...


@runtime_checkable
class ReadingDetector(Detector, Protocol):
    """A detector that gives, with the scores of a batch, what the domain check compares."""

    def read(self, crops: Sequence[Image]) -> tuple[Reading, ...]:
        """As :meth:`logits`, without gradients; one reading a crop.

        Raises:
            InferenceError: a score is not finite.
        """
        ...


@runtime_checkable
class TraceableDetector(Detector, Protocol):
    """A transformer detector that can show what happened inside."""

    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """Score one crop and keep attention, tokens and their gradients (None: a cheap default)."""
        ...


@runtime_checkable
class Calibrator(Protocol):
    """Turns a logit into a probability with an interval and a verdict."""

    name: str
    thresholds: tuple[float, float]

    def calibrate(self, logit: float) -> Calibrated:
        """Non-decreasing in ``logit``."""
        ...


@runtime_checkable
class DomainCheck(Protocol):
    """Tells whether a face is like those the detector knows, and what follows from it."""

    def judge(self, reading: Reading, measures: Mapping[str, float]) -> DomainFinding:
        """Compare what a crop left in the detector, and what was measured on it.

        Args:
            reading: of the crop, with statistics.
            measures: of the face in its picture: ``face_side`` (pixels), ``sharpness``,
                ``blockiness``; those left out are not compared.

        Raises:
            InferenceError: the reading keeps no statistics, or some of another width.
        """
        ...

    def apply(self, calibrated: Calibrated, finding: DomainFinding) -> Calibrated:
        """Widen the interval at the edge; outside, no verdict but ``uncertain``."""
        ...


@runtime_checkable
class Attributor(Protocol):
    """Makes a heat map that says where a detector's score came from."""

    name: str
    class_specific: bool

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; ``trace`` saves a second pass where the detector was already traced.

        Raises:
            InferenceError: the detector cannot serve this method, or the map is not finite.
        """
        ...


@runtime_checkable
class VlmBackend(Protocol):
    """Streams text for a request.

    A backend may have ``most_images``, the most pictures that it takes in a request (3 where it
    does not say); ``start()``, which loads it; and ``read_ahead(request)``.
    """

    name: str
    supports_images: bool

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        """Pieces of new text as they come, never the prompt; ends early once ``cancel`` is set.

        Raises:
            GenerationTimeout: no first or next piece in time.
            InferenceError: the model or server failed.
            OutOfMemory: too little memory.
        """
        ...

    def provenance(self) -> Mapping[str, str]:
        """Model, quantisation and where it runs."""
        ...

    def close(self) -> None:
        """Stop its threads, processes and servers; safe to call twice."""
        ...
