"""What is measured: Media -> Face -> Score -> Attribution.

All are frozen and checked when made. Pictures are RGB uint8 HWC; ``probability`` is always
P(manipulated); boxes are (x0, y0, x1, y1) in pixels of the frame; "left" and "right" of a face are
the viewer's unless a name says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assistant.types.domain import DomainFinding
from assistant.types.readings import Opinion

__all__ = [
    "FOR_ITS_SIZE",
    "LEAST_SHARE",
    "PERSON_SIDE",
    "REGIONS",
    "Attribution",
    "Calibrated",
    "CropSpec",
    "Detection",
    "Face",
    "FrameReader",
    "Image",
    "Media",
    "ProvenanceNote",
    "QualityIssue",
    "QualityNote",
    "RegionFinding",
    "Score",
    "Severity",
    "Trace",
    "Verdict",
    "next_of",
    "peak_of",
    "ranked_regions",
]

Image = NDArray[np.uint8]
#: Seconds, rising, to the frames that are shown then, each with the second it is first shown.
FrameReader = Callable[[Sequence[float]], Iterator[tuple[float, Image]]]

#: The face regions, in the order they are reported. Sides are the viewer's.
REGIONS: tuple[str, ...] = (
    "left eye",
    "right eye",
    "nose",
    "mouth",
    "left cheek",
    "right cheek",
    "forehead",
    "jaw",
    "background",
)
#: A region with less of the map than this is never named for it.
LEAST_SHARE = 0.05
#: From here on (times) a region draws more of the map than its size explains.
FOR_ITS_SIZE = 1.15
#: What the person would call a region that is named from the viewer's side.
PERSON_SIDE: Mapping[str, str] = MappingProxyType(
    {
        "left eye": "right eye",
        "right eye": "left eye",
        "left cheek": "right cheek",
        "right cheek": "left cheek",
    }
)


def _check_image(name: str, image: Image) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"{name}: expected RGB uint8 HWC, got {image.dtype} {image.shape}")


class Verdict(StrEnum):
    """What the calibrated score says. Read from the score alone."""

    NO_SIGN = "no_sign"
    UNCERTAIN = "uncertain"
    LIKELY_MANIPULATED = "likely_manipulated"

    @classmethod
    def _missing_(cls, value: object) -> Verdict | None:
        """Files of version 0.1 call the quiet verdict ``likely_real``."""
        return cls.NO_SIGN if value == "likely_real" else None

    @property
    def words(self) -> str:
        """The verdict as people read it."""
        return "no sign found" if self is Verdict.NO_SIGN else self.value.replace("_", " ")


class QualityIssue(StrEnum):
    """What can make a face hard to judge."""

    SMALL = "small"
    BLURRED = "blurred"
    TURNED = "turned away"
    DARK = "dark"
    BRIGHT = "overexposed"
    CUT_OFF = "cut off"
    GREYSCALE = "greyscale"
    COMPRESSED = "strongly compressed"
    COVERED = "eyes not visible"
    UNSURE = "face found with low confidence"


class Severity(StrEnum):
    """What a quality issue does to the score: with ``blinds`` there is no quiet verdict."""

    WEAKENS = "weakens"
    BLINDS = "blinds"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityNote:
    """One quality issue, with the measurement and the limit behind it, and how grave it is."""

    issue: QualityIssue
    value: float
    limit: float
    unit: str
    severity: Severity = Severity.WEAKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceNote:
    """What the file says of its own origin (C2PA manifest, editor name, generator tag).

    ``kind`` is one of ``c2pa``, ``editor``, ``generator``, ``camera``, ``none``; ``value`` is the
    cleaned text as found (control characters removed, at most 120 characters). ``signature`` tells
    of a ``c2pa`` record: it fits the file's bytes, does not, or could not be checked.
    """

    kind: Literal["c2pa", "editor", "generator", "camera", "none"]
    value: str
    signature: Literal["valid", "broken", "unread"] = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A decoded picture or video. ``id`` is the SHA-256 of the bytes, never a file name.

    ``seconds``: when each of a video's frames is shown; ``span``: from when to when it was looked
    at; ``further`` reads more of its frames, one after another.
    """

    id: str
    kind: Literal["image", "video"]
    frames: tuple[Image, ...]
    width: int
    height: int
    seconds: tuple[float, ...] = (0.0,)
    span: tuple[float, float] = (0.0, 0.0)
    further: FrameReader | None = field(default=None, repr=False, compare=False)
    provenance: tuple[ProvenanceNote, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.frames:
            raise ValueError("media without a frame")
        for frame in self.frames:
            _check_image("frame", frame)
        if len(self.seconds) != len(self.frames):
            raise ValueError(f"{len(self.frames)} frames but {len(self.seconds)} time stamps")


@dataclass(frozen=True, slots=True, kw_only=True)
class CropSpec:
    """How a face is laid into its crop.

    Attributes:
        size: side of the crop in pixels.
        scale: margin; 1.3 as published, larger leaves more around the face.
        shift_y: how far the face is moved down, in shares of the side (negative: up).
        published: make the pixels that the released detectors were trained on: a robust fit of the
            points, bilinear, black outside the picture (arXiv 2508.06248).
    """

    size: int = 256
    scale: float = 1.3
    shift_y: float = 0.0
    published: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A face as found: box, five points 5 x 2 (viewer's left eye first), confidence."""

    box_xyxy: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    confidence: float

    def __post_init__(self) -> None:
        if self.landmarks.shape != (5, 2) or not np.isfinite(self.landmarks).all():
            raise ValueError(f"expected 5 x 2 finite landmarks, got {self.landmarks.shape}")

    @property
    def area(self) -> float:
        """Pixels of the box; 0 where it is turned inside out."""
        left, top, right, bottom = self.box_xyxy
        return max(0.0, right - left) * max(0.0, bottom - top)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A found and aligned face. ``matrix`` (2 x 3) maps frame pixels to crop pixels.

    ``frame_index``: in ``Media.frames``; None for a frame of a video that was not kept.
    """

    media_id: str
    index: int
    frame_index: int | None
    box_xyxy: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    crop: Image
    crop_spec: CropSpec
    matrix: NDArray[np.float64]
    confidence: float
    quality: tuple[QualityNote, ...] = ()

    def __post_init__(self) -> None:
        _check_image("crop", self.crop)

    @property
    def crop_landmarks(self) -> NDArray[np.float64]:
        """The five points in crop pixels, 5 x 2."""
        return self.landmarks @ self.matrix[:, :2].T + self.matrix[:, 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What a calibrator makes of a logit."""

    probability: float
    interval: tuple[float, float]
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The calibrated probability of manipulation of one face, in [0, 1], and where it came from.

    ``interval`` is the calibrator's interval for the probability; ``thresholds`` are the two
    probabilities that part the verdict bands. ``domain`` is what the domain check found, where
    there is one: outside the domain the verdict is ``uncertain`` whatever the probability.
    ``heads``: logits of the two questions *laid in* and *made*, of a detector that asks them.
    ``calibrated``: False where ``probability`` is a raw score that was never fitted to faces.
    ``opinions``: what each member of an ensemble says.
    """

    logit: float
    probability: float
    interval: tuple[float, float]
    verdict: Verdict
    thresholds: tuple[float, float]
    detector: str
    calibrator: str
    weights_sha256: str
    domain: DomainFinding | None = None
    heads: tuple[float, float] | None = None
    calibrated: bool = True
    opinions: tuple[Opinion, ...] = ()

    def __post_init__(self) -> None:
        low, high = self.interval
        if self.abstained and self.verdict is not Verdict.UNCERTAIN:
            raise ValueError(f"outside the domain there is no verdict, got {self.verdict}")
        values = (self.logit, self.probability, low, high)
        if not all(math.isfinite(v) for v in values):
            raise ValueError(f"a score must be finite, got {values}")
        if not 0.0 <= low <= self.probability <= high <= 1.0:
            raise ValueError(
                "expected 0 <= low <= probability <= high <= 1, "
                f"got {low}, {self.probability}, {high}"
            )

    @property
    def number(self) -> str:
        """What ``probability`` is, in words."""
        return "probability of manipulation" if self.calibrated else "raw score, not calibrated"

    @property
    def abstained(self) -> bool:
        """Whether no verdict is given, because the face lies outside the detector's domain."""
        return self.domain is not None and self.domain.status == "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one scored crop left inside a transformer, as numpy (float32).

    Attributes:
        logit: the detector's raw score of the crop.
        layers: indices of the traced blocks (L of them).
        attention: L x heads x T x T, rows sum to 1; None where not asked for.
        attention_gradient: the same shape, d logit / d attention; None where not asked for.
        tokens: all blocks' output tokens, blocks x T x width; None where not asked for.
        token_gradient: d logit / d tokens through the read-out alone, same shape; or None.
        patch_logits: the read-out's own logit of every patch (rows x columns of them, in order),
            where it has such; else None.
        mirror: tokens and gradients of the mirror image, where the detector scores it too; the
            gradients are those of ``logit``, the mean over both.
        grid: rows and columns of the patch grid.
        prefix: tokens before the patches (1: the class token).
    """

    logit: float
    layers: tuple[int, ...]
    grid: tuple[int, int]
    prefix: int = 1
    attention: NDArray[np.float32] | None = None
    attention_gradient: NDArray[np.float32] | None = None
    tokens: NDArray[np.float32] | None = None
    token_gradient: NDArray[np.float32] | None = None
    patch_logits: NDArray[np.float32] | None = None
    mirror: Trace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A heat map over the crop: float32 H x W in [0, 1], with the grid it really has.

    ``target`` says what it points to; ``class_specific`` is False for maps that are the same
    whether the detector says real or manipulated.
    """

    method: str
    map: NDArray[np.float32]
    grid: tuple[int, int]
    target: str = "manipulated"
    class_specific: bool = True

    def __post_init__(self) -> None:
        if self.map.ndim != 2 or self.map.dtype != np.float32:
            raise ValueError(f"expected a float32 H x W map, got {self.map.dtype} {self.map.shape}")
        if not np.isfinite(self.map).all() or self.map.min() < 0 or self.map.max() > 1:
            raise ValueError("a map must be finite and within [0, 1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFinding:
    """How much of the map's mass lies in a region.

    ``share`` and ``area`` are in [0, 1]; ``lift`` = share / area (1 = as much as its size alone
    explains); ``stands_out`` tells whether it is above what untouched faces show. ``stability`` is
    the share of slightly shifted crops in which ``stands_out`` is the same; None: not looked at.
    """

    region: str
    share: float
    area: float
    lift: float
    stands_out: bool = False
    stability: float | None = None


def ranked_regions(regions: Sequence[RegionFinding]) -> list[RegionFinding]:
    """The order in which regions are told, everywhere: those that stand out, then by lift.

    Lift names the exchanged region first more often than share does, which favours large regions
    (docs/evidence.md). Regions outside the crop are left out.
    """
    return sorted((r for r in regions if r.area > 0), key=lambda r: (not r.stands_out, -r.lift))


def peak_of(regions: Sequence[RegionFinding]) -> RegionFinding | None:
    """The region at which the map is strongest: the highest lift among those that hold 5 % of it.

    None where the map is as strong everywhere: no lift is 1.15 or more.
    """
    held = (r for r in regions if r.share >= LEAST_SHARE and r.lift >= FOR_ITS_SIZE)
    return max(held, key=lambda r: r.lift, default=None)


def next_of(regions: Sequence[RegionFinding]) -> RegionFinding | None:
    """Where in the face the map is next strongest, beside the peak and what stands out.

    None where two regions of the face are told already, or where no other draws more than its size
    explains.
    """
    peak = peak_of(regions)
    told = {r.region for r in regions if r.stands_out or r is peak} - {"background"}
    if peak is None or len(told) > 1:
        return None
    return peak_of([r for r in regions if r.region not in {"background", *told}])
