"""From found faces to a score, a map, regions and evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from assistant import evidence as facts
from assistant.attribution.regions import find_regions
from assistant.attribution.stability import with_stability
from assistant.calibration.quality import quality_effect
from assistant.cues.stage import VisibleCues
from assistant.errors import InferenceError
from assistant.faces import domain_measures
from assistant.interfaces import (
    Attributor,
    Calibrator,
    Detector,
    DomainCheck,
    TraceableDetector,
)
from assistant.numbers import crosses
from assistant.types import (
    Attribution,
    Calibrated,
    CuesLooked,
    Detection,
    DomainFinding,
    Face,
    FaceAnalysis,
    Fact,
    Media,
    RegionFinding,
    Score,
    Trace,
    Verdict,
)

__all__ = ["CausalProbe", "Measurer"]

CausalProbe = Callable[[FaceAnalysis, Detector, Calibrator], tuple[Fact, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurer:
    """The stages that make numbers; what each is, see :class:`assistant.pipeline.Assistant`."""

    detector: Detector
    calibrator: Calibrator
    attributor: Attributor
    domain: DomainCheck | None = None
    region_baseline: Mapping[str, float] | None = None
    cues: VisibleCues | None = None

    def measure(self, media: Media, track: list[Face]) -> FaceAnalysis:
        """Score a face (or a video's faces, by the mean of their logits) and map it."""
        extra: tuple[Fact, ...] = ()
        if len(track) == 1:
            face = track[0]
            trace = self._trace(face)
            logit = trace.logit if trace else float(self.detector.logits([face.crop])[0])
        else:
            logits = self.detector.logits([each.crop for each in track])
            logit = float(np.mean(logits))
            face = track[int(np.argmin(np.abs(logits - logit)))]
            trace = self._trace(face)
            extra = (self._frames_fact(logits),)
        calibrated = self.calibrator.calibrate(logit)
        finding = self._judge(media, face, trace)
        if finding is not None and self.domain is not None:
            plain, calibrated = calibrated, self.domain.apply(calibrated, finding)
            if finding.status == "edge" and crosses(
                calibrated.interval, self.calibrator.thresholds
            ):
                # At the edge of what is known a close case gets no verdict.
                finding = replace(finding, status="outside")
                calibrated = self.domain.apply(plain, finding)
        calibrated, finding = quality_effect(calibrated, finding, face.quality)
        if finding is not None:
            extra = (*extra, _domain_fact(finding))
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
        looked = self._look(media, face)
        if looked is not None:
            extra = (*extra, *facts.cue_facts(looked))
        attribution = self.attributor.attribute(self.detector, face.crop, trace)
        regions = self._regions(attribution, face)
        return FaceAnalysis(
            face=face,
            score=score,
            attribution=attribution,
            regions=regions,
            evidence=facts.build_evidence(face, score, regions, media, extra),
            cues=looked or CuesLooked(),
        )

    def _look(self, media: Media, face: Face) -> CuesLooked | None:
        """What can be seen to differ; it moves no number of the detector's."""
        if self.cues is None:
            return None
        issues = [note.issue for note in face.quality]
        return self.cues.look(media.frames[face.frame_index], face.landmarks, issues)

    def _regions(self, attribution: Attribution, face: Face) -> tuple[RegionFinding, ...]:
        """Where the map lies; none where no face parts can be named (the evidence says so)."""
        try:
            return find_regions(attribution.map, face.crop_landmarks, self.region_baseline)
        except InferenceError as error:
            if error.code != "no-face-parts":
                raise
            return ()

    def _trace(self, face: Face) -> Trace | None:
        if not isinstance(self.detector, TraceableDetector):
            return None
        return self.detector.trace(face.crop)

    def _judge(self, media: Media, face: Face, trace: Trace | None) -> DomainFinding | None:
        """Whether the face is like those the detector knows; of a video, the face that stands."""
        if self.domain is None or trace is None or trace.tokens is None:
            return None
        detection = Detection(
            box_xyxy=face.box_xyxy, landmarks=face.landmarks, confidence=face.confidence
        )
        return self.domain.judge(trace, domain_measures(media.frames[face.frame_index], detection))

    def _frames_fact(self, logits: np.ndarray) -> Fact:
        return facts.FramesFact.of(
            [self.calibrator.calibrate(float(x)).probability for x in logits]
        )

    def with_facts(self, result: FaceAnalysis, probe: CausalProbe) -> FaceAnalysis:
        """The same analysis with the facts that a probe measured."""
        calibrator = _NoVerdict(self.calibrator) if result.score.abstained else self.calibrator
        added = probe(result, self.detector, calibrator)
        return replace(result, evidence=facts.renumbered(result.evidence, added))

    def with_stability(self, result: FaceAnalysis) -> FaceAnalysis:
        """The same analysis with each region's stability under small shifts of the crop."""
        regions = with_stability(
            result.regions,
            self.attributor,
            self.detector,
            result.face.crop,
            result.face.crop_landmarks,
            self.region_baseline,
        )
        return replace(result, regions=regions)


class _NoVerdict:
    """A calibrator for a face that gets no verdict: so that no change of it seems to give one."""

    def __init__(self, calibrator: Calibrator) -> None:
        self.name = calibrator.name
        self.thresholds = calibrator.thresholds
        self._calibrator = calibrator

    def calibrate(self, logit: float) -> Calibrated:
        return replace(self._calibrator.calibrate(logit), verdict=Verdict.UNCERTAIN)


def _domain_fact(finding: DomainFinding) -> Fact:
    return facts.DomainFact(
        id="D1",
        inside=finding.status == "inside",
        distance=finding.distance,
        limit=finding.limit,
        reasons=finding.reasons,
        abstained=finding.status == "outside",
    )
