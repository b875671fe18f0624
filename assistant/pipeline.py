"""The one flow: bytes to media, faces, scores, maps, evidence and checked words, told as events.

No failure is ever a number: no face means no score. Text comes last and changes nothing before it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from assistant import evidence as facts
from assistant.attribution.regions import find_regions
from assistant.attribution.stability import with_stability
from assistant.errors import AssistantError, InferenceError
from assistant.events import (
    Analyzed,
    Described,
    Done,
    Event,
    Explained,
    FaceFound,
    Failed,
    MediaReady,
    NoFace,
    Progress,
    Token,
    TurnDone,
)
from assistant.faces import domain_measures, is_too_small, make_face
from assistant.interfaces import (
    Attributor,
    Calibrator,
    Detector,
    DomainCheck,
    FaceFinder,
    TraceableDetector,
    VlmBackend,
)
from assistant.media import MediaLimits, load_media
from assistant.narrator import Narrator
from assistant.types import (
    Analysis,
    Attribution,
    Calibrated,
    Description,
    Detection,
    DomainFinding,
    Explanation,
    Face,
    FaceAnalysis,
    Fact,
    Image,
    Media,
    RegionFinding,
    Score,
    Trace,
    Turn,
    Verdict,
)

__all__ = ["Assistant", "PipelineLimits"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineLimits:
    """What one call may take: a file's size, a picture's faces, a question's characters."""

    media: MediaLimits = field(default_factory=MediaLimits)
    max_faces: int = 8
    max_question_characters: int = 2000


_TOO_SMALL = "A face is too small to be judged (under 24 pixels) and was left out."

CausalProbe = Callable[[FaceAnalysis, Detector, Calibrator], tuple[Fact, ...]]


class Assistant:
    """Analyses files and answers questions about them. Safe to share between threads.

    Args:
        finder: finds faces.
        detector: scores them.
        calibrator: turns a score into a probability.
        attributor: shows where the score came from.
        narrator: writes and checks the words.
        causal: neutralises regions and scores again, as facts; None leaves that out.
        domain: tells faces unlike those the detector knows; None leaves that out.
        fragility: recompresses, resizes, shifts and scores again, as facts; None leaves that out.
        region_baseline: what maps of untouched faces show, by region.
        limits: what one call may take.
        demo: True where a fake takes part: every surface must then say "demo, not an analysis".
    """

    def __init__(
        self,
        *,
        finder: FaceFinder,
        detector: Detector,
        calibrator: Calibrator,
        attributor: Attributor,
        narrator: Narrator,
        causal: CausalProbe | None = None,
        fragility: CausalProbe | None = None,
        domain: DomainCheck | None = None,
        region_baseline: Mapping[str, Sequence[float]] | None = None,
        limits: PipelineLimits | None = None,
        versions: Mapping[str, str] | None = None,
        demo: bool = False,
    ) -> None:
        self.finder = finder
        self.detector = detector
        self.calibrator = calibrator
        self.attributor = attributor
        self.narrator = narrator
        self.limits = limits or PipelineLimits()
        self.versions = dict(versions or {})
        self.demo = demo
        self._causal = causal
        self._fragility = fragility
        self._domain = domain
        self._region_baseline = region_baseline

    @property
    def vlm(self) -> VlmBackend:
        """The text backend in use."""
        return self.narrator.vlm

    @property
    def can_describe(self) -> bool:
        """Whether the text backend sees pictures (``blind``)."""
        return self.narrator.can_describe

    @property
    def measures_fragility(self) -> bool:
        """Whether :meth:`probe_fragility` adds anything."""
        return self._fragility is not None

    def describe(self) -> dict[str, Mapping[str, str]]:
        """Every stage's name and origin."""
        return {
            "face_finder": {"name": self.finder.name, **self.finder.provenance()},
            "detector": {"name": self.detector.name, **self.detector.provenance()},
            "calibrator": {"name": self.calibrator.name},
            "attributor": {"name": self.attributor.name},
            "vlm": {"name": self.vlm.name, **self.vlm.provenance()},
        }

    def close(self) -> None:
        """Stop the text backend's processes."""
        self.narrator.close()

    def analyze(
        self,
        data: bytes,
        *,
        explain: bool = True,
        blind: bool = False,
        fragility: bool = True,
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Analyse one file.

        Args:
            data: the file's bytes.
            explain: also write the explanation of the first (largest) face.
            blind: before that, have the model describe the face without the score.
            fragility: also measure, after the words, how steady the score and the regions are;
                False: :meth:`probe_fragility` does it later.
            cancel: stops the writing.

        Yields:
            ``MediaReady``; ``NoFace``, or for each face ``FaceFound`` and ``Analyzed``, then a
            second ``Analyzed`` for the same face once its causal checks are in; ``Described`` with
            ``blind``; ``Token`` while text is written; ``Explained``; a third ``Analyzed`` with the
            fragility; ``Done``. ``Failed`` ends it at any point.
        """
        try:
            yield from self._analyze(data, explain, blind, fragility, cancel)
        except AssistantError as error:
            yield Failed(error=error)

    def explain(
        self, result: FaceAnalysis, *, blind: bool = False, cancel: threading.Event | None = None
    ) -> Iterator[Event]:
        """Write and check one face's explanation: ``Token``s, then ``Explained`` or ``Failed``.

        With ``blind``, ``Described`` comes first.
        """
        try:
            yield from self._explain(result, blind, cancel)
        except AssistantError as error:
            yield Failed(error=error)

    def ask(
        self,
        result: FaceAnalysis,
        question: str,
        *,
        history: Sequence[Turn] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Answer a question from the evidence; the face is never scored anew for a verdict.

        A "what if" question may add facts (``Analyzed`` with the same score tells them first).

        Yields:
            ``Token`` while text is written, then ``TurnDone``; or ``Failed``.
        """
        try:
            self._check_question(question)
            if self._fragility and self.narrator.wants_fragility(question, result.evidence):
                yield Progress(stage="fragility", done=0, total=1)
                result = self.probe_fragility(result)
                yield Analyzed(result=result)
            for piece in self.narrator.answer(result, question, history=history, cancel=cancel):
                if isinstance(piece, Explanation):
                    yield TurnDone(turn=Turn(question=question, explanation=piece))
                else:
                    yield Token(text=piece)
        except AssistantError as error:
            yield Failed(error=error)

    def probe_fragility(self, result: FaceAnalysis) -> FaceAnalysis:
        """The same analysis with fragility facts and the regions' stability, if not in yet.

        Raises:
            InferenceError: a score or map is not finite.
        """
        if self._fragility is None or result.evidence.of_kind(facts.FactKind.FRAGILITY):
            return result
        regions = with_stability(
            result.regions,
            self.attributor,
            self.detector,
            result.face.crop,
            result.face.crop_landmarks,
            self._region_baseline,
        )
        return replace(self._with_facts(result, self._fragility), regions=regions)

    def _check_question(self, question: str) -> None:
        limit = self.limits.max_question_characters
        if not question.strip():
            raise InferenceError(
                "The question is empty.",
                hint='Ask for example "why?", "where?" or "how sure are you?".',
                code="empty-question",
            )
        if len(question) > limit:
            raise InferenceError(
                f"The question has {len(question):,} characters; at most {limit:,} are read.",
                hint="Shorten it; nothing of the conversation was lost.",
                code="question-too-long",
            )

    def _analyze(
        self,
        data: bytes,
        explain: bool,
        blind: bool,
        fragility: bool,
        cancel: threading.Event | None,
    ) -> Iterator[Event]:
        began = time.perf_counter()
        media = load_media(data, self.limits.media)
        yield MediaReady(media=media)
        seconds = {"decode": time.perf_counter() - began}
        warnings = list(media.warnings)
        results: list[FaceAnalysis] = []
        find = self._video_faces if media.kind == "video" else self._image_faces
        faces: list[list[Face]] = []
        step = time.perf_counter()
        for event in find(media, faces, warnings):
            yield event
        seconds["faces"] = time.perf_counter() - step
        if not faces:
            yield NoFace(
                media=media,
                message="No face was found, so there is no score.",
                hint="Use a photo with an upright, uncovered face of at least 24 pixels.",
            )
            return
        step = time.perf_counter()
        for track in faces:
            result = self._measure(media, track)
            results.append(result)
            yield Analyzed(result=result)
        seconds["score_and_map"] = time.perf_counter() - step
        if self._causal is not None:
            step = time.perf_counter()
            for i, result in enumerate(results):
                yield Progress(stage="counterfactuals", done=i, total=len(results))
                results[i] = self._with_facts(result, self._causal)
                yield Analyzed(result=results[i])
            seconds["counterfactuals"] = time.perf_counter() - step
        explanation = None
        if explain:
            for event in self._explain(results[0], blind, cancel):
                if isinstance(event, Explained):
                    explanation = event.explanation
                    seconds["explanation"] = explanation.seconds
                    seconds["first_words"] = explanation.first_token_seconds
                yield event
        if fragility and self._fragility is not None:
            step = time.perf_counter()
            for i, result in enumerate(results):
                yield Progress(stage="fragility", done=i, total=len(results))
                results[i] = self.probe_fragility(result)
                yield Analyzed(result=results[i])
            seconds["fragility"] = time.perf_counter() - step
        seconds["total"] = time.perf_counter() - began
        yield Done(
            analysis=Analysis(
                media=media,
                faces=tuple(results),
                explanation=explanation,
                versions=self.versions,
                warnings=tuple(warnings),
                seconds=seconds,
            )
        )

    def _image_faces(
        self, media: Media, tracks: list[list[Face]], warnings: list[str]
    ) -> Iterator[Event]:
        found = sorted(self._find(media.frames[0], warnings), key=lambda d: -_area(d.box_xyxy))
        if len(found) > self.limits.max_faces:
            warnings.append(
                f"{len(found)} faces were found; the {self.limits.max_faces} largest were analysed."
            )
        for index, detection in enumerate(found[: self.limits.max_faces]):
            face = make_face(
                media.frames[0],
                detection,
                self.detector.crop_spec,
                media_id=media.id,
                index=index,
                frame_index=0,
            )
            tracks.append([face])
            yield FaceFound(face=face)

    def _find(self, frame: Image, warnings: list[str]) -> list[Detection]:
        """The faces of a frame that are large enough to be judged."""
        found = self.finder.find(frame)
        large = [detection for detection in found if not is_too_small(detection)]
        if len(large) < len(found) and _TOO_SMALL not in warnings:
            warnings.append(_TOO_SMALL)
        return large

    def _video_faces(
        self, media: Media, tracks: list[list[Face]], warnings: list[str]
    ) -> Iterator[Event]:
        """One track: the largest face of each frame."""
        track: list[Face] = []
        several = 0
        for i, frame in enumerate(media.frames):
            yield Progress(stage="faces", done=i, total=len(media.frames))
            found = self._find(frame, warnings)
            several += len(found) > 1
            if found:
                detection = max(found, key=lambda d: _area(d.box_xyxy))
                face = make_face(
                    frame,
                    detection,
                    self.detector.crop_spec,
                    media_id=media.id,
                    index=0,
                    frame_index=i,
                )
                track.append(face)
        if several:
            warnings.append(
                f"{several} of {len(media.frames)} frames show several faces; "
                "the largest was judged."
            )
        if track:
            if len(track) < len(media.frames):
                warnings.append(
                    f"A face was found in {len(track)} of {len(media.frames)} frames; "
                    "the others were left out."
                )
            tracks.append(track)
            yield FaceFound(face=track[0])

    def _measure(self, media: Media, track: list[Face]) -> FaceAnalysis:
        """Score a face (or a video's faces, by the mean of their logits) and map it."""
        extra: tuple[Fact, ...] = ()
        if len(track) == 1:
            face = track[0]
            trace = self._trace(face)
            logit = trace.logit if trace else float(self.detector.logits([face.crop])[0])
        else:
            logits = self.detector.logits([f.crop for f in track])
            logit = float(np.mean(logits))
            face = track[int(np.argmin(np.abs(logits - logit)))]
            trace = self._trace(face)
            extra = (self._frames_fact(logits),)
        calibrated = self.calibrator.calibrate(logit)
        finding = self._judge(media, face, trace)
        if finding is not None and self._domain is not None:
            calibrated = self._domain.apply(calibrated, finding)
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
        attribution = self.attributor.attribute(self.detector, face.crop, trace)
        regions = self._regions(attribution, face)
        return FaceAnalysis(
            face=face,
            score=score,
            attribution=attribution,
            regions=regions,
            evidence=facts.build_evidence(face, score, regions, media, extra),
        )

    def _regions(self, attribution: Attribution, face: Face) -> tuple[RegionFinding, ...]:
        """Where the map lies; none where no face parts can be named (the evidence says so)."""
        try:
            return find_regions(attribution.map, face.crop_landmarks, self._region_baseline)
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
        if self._domain is None or trace is None or trace.tokens is None:
            return None
        detection = Detection(
            box_xyxy=face.box_xyxy, landmarks=face.landmarks, confidence=face.confidence
        )
        return self._domain.judge(trace, domain_measures(media.frames[face.frame_index], detection))

    def _frames_fact(self, logits: np.ndarray) -> Fact:
        return facts.frames_fact([self.calibrator.calibrate(float(x)).probability for x in logits])

    def _with_facts(self, result: FaceAnalysis, probe: CausalProbe) -> FaceAnalysis:
        calibrator = _NoVerdict(self.calibrator) if result.score.abstained else self.calibrator
        added = probe(result, self.detector, calibrator)
        return replace(result, evidence=facts.renumbered(result.evidence, added))

    def _explain(
        self, result: FaceAnalysis, blind: bool, cancel: threading.Event | None
    ) -> Iterator[Event]:
        for piece in self.narrator.explain(result, blind=blind, cancel=cancel):
            if isinstance(piece, Explanation):
                yield Explained(explanation=piece)
            elif isinstance(piece, Description):
                yield Described(description=piece)
            else:
                yield Token(text=piece)


class _NoVerdict:
    """A calibrator for a face that gets no verdict: so that no change of it seems to give one."""

    def __init__(self, calibrator: Calibrator) -> None:
        self.name = calibrator.name
        self.thresholds = calibrator.thresholds
        self._calibrator = calibrator

    def calibrate(self, logit: float) -> Calibrated:
        return replace(self._calibrator.calibrate(logit), verdict=Verdict.UNCERTAIN)


def _domain_fact(finding: DomainFinding) -> Fact:
    return facts.domain_fact(
        1,
        inside=finding.status == "inside",
        distance=finding.distance,
        limit=finding.limit,
        reasons=finding.reasons,
        abstained=finding.status == "outside",
    )


def _area(box: tuple[float, float, float, float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
