"""The one path from found faces to verdicts: scored in batches, calibrated, held to the domain.

The page, the command line and every evaluation score through here, so they say the same of a file.
No gradient is taken: that is left to the maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assistant.calibration.quality import quality_effect
from assistant.interfaces import Calibrator, Detector, DomainCheck, ReadingDetector
from assistant.numbers import crosses
from assistant.timeline import (
    DEFAULT_RULE,
    HEAD_RULE,
    LOOKS,
    TemporalHead,
    clip_features,
    clip_logit,
)
from assistant.tracks import Track
from assistant.types import (
    Calibrated,
    DomainFinding,
    Face,
    Image,
    Moment,
    Opinion,
    Reading,
    Score,
)

__all__ = ["ScoredFace", "Scorer", "laid_in_of", "looks_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredFace:
    """A track with its score.

    Attributes:
        track: the faces with their media.
        face: the one that stands for the track: that whose logit is nearest to the track's.
        logits: of the track's faces, in their order.
        score: of a picture's logit, or of what ``rule`` makes of many.
        moments: the faces of a clip one by one; empty for a picture.
        rule: one of :data:`assistant.timeline.CLIP_RULES`, or the temporal head; empty for a
            picture.
    """

    track: Track
    face: Face
    logits: NDArray[np.float64]
    score: Score
    moments: tuple[Moment, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """What gives the numbers.

    Attributes:
        detector: scores faces.
        calibrator: turns a score into a probability.
        domain: tells faces unlike those the detector knows; None: every face gets a verdict.
        head: makes one logit of a clip's frames; None: their mean is it.
    """

    detector: Detector
    calibrator: Calibrator
    domain: DomainCheck | None = None
    head: TemporalHead | None = None

    def score(self, tracks: Sequence[Track]) -> list[ScoredFace]:
        """Score the faces of all tracks in batches of the detector's size.

        Raises:
            InferenceError: a score is not finite.
            OutOfMemory: too little memory for a batch.
        """
        new = [face.crop for track in tracks if track.readings is None for face in track.faces]
        readings = iter(self.read(new))
        return [
            self._scored(track, track.readings or [next(readings) for _ in track.faces])
            for track in tracks
        ]

    def read(self, crops: Sequence[Image]) -> Sequence[Reading]:
        """What the detector says of crops.

        Raises:
            InferenceError: a score is not finite.
            OutOfMemory: too little memory for a batch.
        """
        if not crops:
            return ()
        if isinstance(self.detector, ReadingDetector):
            return self.detector.read(crops)
        return [Reading(logit=float(logit)) for logit in self.detector.logits(crops)]

    def _scored(self, track: Track, readings: Sequence[Reading]) -> ScoredFace:
        logits = np.array([reading.logit for reading in readings], np.float64)
        moving = track.media.kind == "video"
        logit, rule = self._of_clip(track, readings, logits) if moving else (float(logits[0]), "")
        # stands for the track: a frame that was kept, so that it can be looked at whole
        kept = [i for i, face in enumerate(track.faces) if face.frame_index is not None]
        standing = min(kept, key=lambda i: abs(logits[i] - logit))
        face = track.faces[standing]
        calibrated, finding = self._judged(track, standing, readings[standing], logit)
        score = Score(
            logit=logit,
            probability=calibrated.probability,
            interval=calibrated.interval,
            verdict=calibrated.verdict,
            thresholds=self.calibrator.thresholds,
            detector=self.detector.name,
            calibrator=self.calibrator.name,
            weights_sha256=self.detector.weights_sha256,
            domain=finding,
            heads=_mean_heads(readings),
            calibrated=getattr(self.calibrator, "fitted", True),
            opinions=_mean_opinions(readings),
        )
        moments = tuple(self._moment(track, i, r) for i, r in enumerate(readings)) if moving else ()
        return ScoredFace(
            track=track, face=face, logits=logits, score=score, moments=moments, rule=rule
        )

    def _of_clip(
        self, track: Track, readings: Sequence[Reading], logits: NDArray[np.float64]
    ) -> tuple[float, str]:
        """One logit of a clip's person, and what made it of the frames'."""
        seconds = np.array(track.seconds)
        if self.head is None:
            return clip_logit(seconds, logits), DEFAULT_RULE
        features = clip_features(
            seconds,
            logits,
            laid_in_of(readings),
            looks_of(readings),
            shots=track.shots or None,
        )
        return self.head.logit(features), HEAD_RULE

    def _moment(self, track: Track, number: int, reading: Reading) -> Moment:
        calibrated, finding = self._judged(track, number, reading, reading.logit)
        return Moment(
            seconds=track.seconds[number],
            logit=reading.logit,
            probability=calibrated.probability,
            interval=calibrated.interval,
            verdict=calibrated.verdict,
            judged=finding is None or finding.status != "outside",
            box_xyxy=track.faces[number].box_xyxy,
        )

    def _judged(
        self, track: Track, number: int, reading: Reading, logit: float
    ) -> tuple[Calibrated, DomainFinding | None]:
        face = track.faces[number]
        plain = self.calibrator.calibrate(logit)
        if self.domain is None or reading.statistics is None:
            return quality_effect(plain, None, face.quality)
        finding = self.domain.judge(reading, track.measures(number))
        calibrated = self.domain.apply(plain, finding)
        if finding.status == "edge" and crosses(calibrated.interval, self.calibrator.thresholds):
            # At the edge of what is known a close case gets no verdict.
            finding = replace(finding, status="outside")
            calibrated = self.domain.apply(plain, finding)
        return quality_effect(calibrated, finding, face.quality)


def looks_of(readings: Sequence[Reading]) -> NDArray[np.float32] | None:
    """N x d: what faces look like to the detector's tower; None where one does not show it."""
    shown = [r.statistics for r in readings if r.statistics is not None]
    if not shown or len(shown) < len(readings):
        return None
    return np.stack([statistics[LOOKS] for statistics in shown])


def laid_in_of(readings: Sequence[Reading]) -> NDArray[np.float64] | None:
    """N answers to *laid in* (logits); None where the detector is not asked that."""
    heads = [r.heads for r in readings if r.heads is not None]
    return np.array(heads)[:, 0] if heads and len(heads) == len(readings) else None


def _mean_heads(readings: Sequence[Reading]) -> tuple[float, float] | None:
    """Over the faces of a track; None of a detector without heads."""
    heads = [reading.heads for reading in readings if reading.heads is not None]
    if not heads:
        return None
    laid_in, made = np.mean(heads, axis=0)
    return float(laid_in), float(made)


def _mean_opinions(readings: Sequence[Reading]) -> tuple[Opinion, ...]:
    """What each member of an ensemble says of a track: the mean over its faces."""
    together = zip(*(reading.opinions for reading in readings), strict=True)
    return tuple(
        replace(said[0], value=float(np.mean([each.value for each in said]))) for said in together
    )
