"""From found faces to a score, a map, regions and evidence."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from assistant import evidence as facts
from assistant.attribution.regions import find_regions
from assistant.attribution.stability import with_stability
from assistant.calibration.record import record_of
from assistant.cues.motion import look_over_time
from assistant.cues.stage import VisibleCues
from assistant.errors import InferenceError, stop_if
from assistant.interfaces import (
    Attributor,
    Calibrator,
    Detector,
)
from assistant.lanes import motion_of, timeline_of, worst_moments
from assistant.scoring import ScoredFace, Scorer
from assistant.tracks import Track
from assistant.types import (
    Attribution,
    Calibrated,
    CuesLooked,
    DomainFinding,
    Face,
    FaceAnalysis,
    Fact,
    Image,
    RegionFinding,
    Timeline,
    Verdict,
    WorstFrame,
)

__all__ = ["CausalProbe", "Measurer"]

CausalProbe = Callable[[FaceAnalysis, Detector, Calibrator], tuple[Fact, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurer:
    """The stages that make numbers; what each is, see :class:`assistant.pipeline.Assistant`."""

    scorer: Scorer
    attributor: Attributor
    region_baseline: Mapping[str, float] | None = None
    map_share: float | None = None
    cues: VisibleCues | None = None
    _once: _ScoredOnce = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_once", _ScoredOnce(self.scorer.detector))

    def measure(
        self, tracks: Sequence[Track], cancel: threading.Event | None = None
    ) -> Iterator[FaceAnalysis]:
        """Score all tracks together, then map one after another, until ``cancel`` is set."""
        self._once.forget()
        everyone = self.scorer.score(tracks)
        for scored in everyone:
            if len(scored.logits) == 1:
                self._once.remember(scored.face.crop, float(scored.logits[0]))
            others = [other for other in everyone if other is not scored and other.moments]
            yield self._mapped(scored, others, cancel)

    def _mapped(
        self, scored: ScoredFace, others: Sequence[ScoredFace], cancel: threading.Event | None
    ) -> FaceAnalysis:
        face, score = scored.face, scored.score
        extra: tuple[Fact, ...] = ()
        timeline = self._timeline(scored, cancel)
        if timeline is not None:
            others_facts = facts.other_people([(o.face.index, o.score) for o in others])
            extra = (self._frames_fact(scored.logits), *facts.time_facts(timeline), *others_facts)
        if score.domain is not None:
            extra = (*extra, _domain_fact(score.domain))
        looked = self._look(scored, timeline)
        if looked is not None:
            extra = (*extra, *facts.cue_facts(looked))
        attribution = self.attributor.attribute(self.scorer.detector, face.crop)
        regions = self._regions(attribution, face)
        return FaceAnalysis(
            face=face,
            score=score,
            attribution=attribution,
            regions=regions,
            evidence=facts.build_evidence(
                face,
                score,
                regions,
                scored.track.media,
                extra,
                record_of(self.scorer.calibrator),
                self.map_share,
            ),
            cues=looked or CuesLooked(),
            timeline=timeline,
        )

    def _timeline(self, scored: ScoredFace, cancel: threading.Event | None) -> Timeline | None:
        """The lane of a clip's person, with maps of the worst frames."""
        timeline = timeline_of(scored, self.scorer.calibrator)
        if timeline is None:
            return None
        numbers = worst_moments(timeline.moments)
        frames = self._frames(scored.track, numbers)
        worst = []
        for number in numbers:
            stop_if(cancel)
            face, moment = scored.track.faces[number], timeline.moments[number]
            frame = frames.get(moment.seconds)
            worst.append(
                WorstFrame(
                    seconds=moment.seconds,
                    probability=moment.probability,
                    crop=face.crop,
                    attribution=self.attributor.attribute(self.scorer.detector, face.crop),
                    cues=self._look_at(frame, face) or CuesLooked(),
                )
            )
        return replace(timeline, worst=tuple(worst))

    def _look(self, scored: ScoredFace, timeline: Timeline | None) -> CuesLooked | None:
        """What can be seen to differ; it moves no number of the detector's."""
        index = scored.face.frame_index
        frame = None if index is None else scored.track.media.frames[index]
        looked = self._look_at(frame, scored.face)
        if looked is None or timeline is None or self.cues is None or self.cues.over_time is None:
            return looked
        moved = look_over_time(motion_of(scored, timeline.stretches), self.cues.over_time)
        return CuesLooked(
            findings=(*moved.findings, *looked.findings),
            not_judged=(*looked.not_judged, *moved.not_judged),
        )

    def _frames(self, track: Track, numbers: Sequence[int]) -> dict[float, Image]:
        """The whole frames of some faces, by second; those that were not kept are read again."""
        if self.cues is None:
            return {}
        media = track.media
        frames, gone = {}, []
        for number in numbers:
            index = track.faces[number].frame_index
            if index is None:
                gone.append(track.seconds[number])
            else:
                frames[track.seconds[number]] = media.frames[index]
        if gone and media.further is not None:
            frames.update(media.further(sorted(gone)))
        return frames

    def _look_at(self, frame: Image | None, face: Face) -> CuesLooked | None:
        """What can be seen to differ in the frame of a face; None where there is none."""
        if self.cues is None or frame is None:
            return None
        return self.cues.look(frame, face.landmarks, [note.issue for note in face.quality])

    def _regions(self, attribution: Attribution, face: Face) -> tuple[RegionFinding, ...]:
        """Where the map lies; none where no face parts can be named (the evidence says so)."""
        try:
            return find_regions(attribution.map, face.crop_landmarks, self.region_baseline)
        except InferenceError as error:
            if error.code != "no-face-parts":
                raise
            return ()

    def _frames_fact(self, logits: np.ndarray) -> Fact:
        return facts.FramesFact.of(
            [self.scorer.calibrator.calibrate(float(x)).probability for x in logits]
        )

    def with_facts(
        self, result: FaceAnalysis, probe: CausalProbe, cancel: threading.Event | None = None
    ) -> FaceAnalysis:
        """The same analysis with the facts that a probe measured, until ``cancel`` is set."""
        calibrator = self.scorer.calibrator
        if result.score.abstained:
            calibrator = _NoVerdict(calibrator)
        added = probe(result, self._once.until(cancel), calibrator)
        return replace(result, evidence=facts.renumbered(result.evidence, added))

    def with_stability(self, result: FaceAnalysis) -> FaceAnalysis:
        """The same analysis with each region's stability under small shifts of the crop."""
        regions = with_stability(
            result.regions,
            self.attributor,
            self.scorer.detector,
            result.face.crop,
            result.face.crop_landmarks,
            self.region_baseline,
        )
        return replace(result, regions=regions)


class _ScoredOnce:
    """The detector as probes see it: a crop that was scored a moment ago is not scored again.

    Several probes of a face score the untouched crop and the same regions.
    """

    _MOST = 128
    _AT_ONCE = 8  # crops a call, so that a stopped analysis ends within a second

    def __init__(self, detector: Detector) -> None:
        self.name = detector.name
        self.crop_spec = detector.crop_spec
        self.weights_sha256 = detector.weights_sha256
        self._detector = detector
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()
        self._cancel: threading.Event | None = None

    def until(self, cancel: threading.Event | None) -> _ScoredOnce:
        """The same, with the same memory, that raises ``Cancelled`` once ``cancel`` is set."""
        view = copy(self)
        view._cancel = cancel
        return view

    def provenance(self) -> Mapping[str, str]:
        return self._detector.provenance()

    def forget(self) -> None:
        with self._lock:
            self._known.clear()

    def remember(self, crop: Image, logit: float) -> None:
        with self._lock:
            self._known[self._key(crop)] = logit
            while len(self._known) > self._MOST:
                self._known.popitem(last=False)

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        keys = [self._key(crop) for crop in crops]
        with self._lock:
            scores = {key: self._known[key] for key in keys if key in self._known}
        new = {key: crop for key, crop in zip(keys, crops, strict=True) if key not in scores}
        items = [*new.items()]
        for begin in range(0, len(items), self._AT_ONCE):
            stop_if(self._cancel)
            batch = items[begin : begin + self._AT_ONCE]
            found = self._detector.logits([crop for _, crop in batch])
            for (key, crop), logit in zip(batch, found, strict=True):
                scores[key] = float(logit)
                self.remember(crop, float(logit))
        return np.array([scores[key] for key in keys], np.float64)

    def _key(self, crop: Image) -> bytes:
        views = [crop]
        if getattr(self._detector, "mirrors", False):  # a mirror image has the same score
            views.append(crop[:, ::-1])
        return min(hashlib.blake2b(np.ascontiguousarray(v).data).digest() for v in views)


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
