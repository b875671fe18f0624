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
from assistant.tracks import Track
from assistant.types import Calibrated, DomainFinding, Face, Reading, Score

__all__ = ["ScoredFace", "Scorer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredFace:
    """A track with its score.

    Attributes:
        track: the faces with their media.
        face: the one that stands for the track: that whose logit is nearest to the mean.
        logits: of the track's faces, in their order.
        score: of the mean logit.
    """

    track: Track
    face: Face
    logits: NDArray[np.float64]
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Detector, calibration and domain check; without a domain check every face gets a verdict."""

    detector: Detector
    calibrator: Calibrator
    domain: DomainCheck | None = None

    def score(self, tracks: Sequence[Track]) -> list[ScoredFace]:
        """Score the faces of all tracks in batches of the detector's size.

        Raises:
            InferenceError: a score is not finite.
            OutOfMemory: too little memory for a batch.
        """
        readings = self._read([face for track in tracks for face in track.faces])
        scored = []
        start = 0
        for track in tracks:
            own = readings[start : start + len(track.faces)]
            start += len(own)
            scored.append(self._scored(track, own))
        return scored

    def _read(self, faces: Sequence[Face]) -> Sequence[Reading]:
        crops = [face.crop for face in faces]
        if not crops:
            return ()
        if isinstance(self.detector, ReadingDetector):
            return self.detector.read(crops)
        return [Reading(logit=float(logit)) for logit in self.detector.logits(crops)]

    def _scored(self, track: Track, readings: Sequence[Reading]) -> ScoredFace:
        logits = np.array([reading.logit for reading in readings], np.float64)
        logit = float(logits.mean())
        standing = int(np.abs(logits - logit).argmin())
        face = track.faces[standing]
        calibrated, finding = self._judged(track, face, readings[standing], logit)
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
        )
        return ScoredFace(track=track, face=face, logits=logits, score=score)

    def _judged(
        self, track: Track, face: Face, reading: Reading, logit: float
    ) -> tuple[Calibrated, DomainFinding | None]:
        plain = self.calibrator.calibrate(logit)
        if self.domain is None or reading.statistics is None:
            return quality_effect(plain, None, face.quality)
        finding = self.domain.judge(reading, track.measures(face))
        calibrated = self.domain.apply(plain, finding)
        if finding.status == "edge" and crosses(calibrated.interval, self.calibrator.thresholds):
            # At the edge of what is known a close case gets no verdict.
            finding = replace(finding, status="outside")
            calibrated = self.domain.apply(plain, finding)
        return quality_effect(calibrated, finding, face.quality)
