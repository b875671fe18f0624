"""The one flow: bytes to media, faces, scores, maps, evidence and checked words, told as events.

No failure is ever a number: no face means no score. Text comes last and changes nothing before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from assistant import evidence as facts
from assistant.cues.stage import VisibleCues
from assistant.errors import AssistantError, stop_if
from assistant.events import (
    Analyzed,
    Described,
    Done,
    Event,
    Explained,
    FaceFound,
    Failed,
    MediaReady,
    Progress,
    Scored,
    Token,
    TurnDone,
)
from assistant.interfaces import (
    Attributor,
    FaceFinder,
    VlmBackend,
)
from assistant.measuring import CausalProbe, Measurer
from assistant.media import WHOLE, MediaLimits, Span, load_media
from assistant.narrator import Narrator
from assistant.opinions import Picture
from assistant.questions import check_question, chosen, facts_for
from assistant.scoring import Scorer
from assistant.speakers import Speakers
from assistant.tracks import FoundTracks, find_tracks, no_face
from assistant.types import (
    Analysis,
    Description,
    Explanation,
    FaceAnalysis,
    FaceScore,
    Media,
    Scores,
    Turn,
)

__all__ = ["Assistant", "PipelineLimits"]

_Stop = threading.Event | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineLimits:
    """What one call may take: a file's size, a picture's faces, a question's characters."""

    media: MediaLimits = field(default_factory=MediaLimits)
    max_faces: int = 8
    max_question_characters: int = 2000


class Assistant:
    """Analyses files and answers questions about them. Safe to share between threads.

    Args:
        finder: finds faces.
        scorer: gives the numbers; all else here explains them.
        attributor: shows where part of the score came from.
        narrator: writes and checks the words.
        causal: neutralises regions and scores again, as facts; None leaves that out.
        fragility: recompresses, resizes, shifts and scores again, as facts; None leaves that out.
        region_baseline: what maps of untouched faces show, by region.
        map_share: of the score's spread over faces, what comes from the map; None: not measured.
        cues: tells what can be seen to differ, as facts; None leaves that out.
        limits: what one call may take.
        speakers: the other detectors that can be asked; None: this one alone.
        demo: True where a fake takes part: every surface must then say "demo, not an analysis".
    """

    def __init__(
        self,
        *,
        finder: FaceFinder,
        scorer: Scorer,
        attributor: Attributor,
        narrator: Narrator,
        causal: CausalProbe | None = None,
        fragility: CausalProbe | None = None,
        region_baseline: Mapping[str, float] | None = None,
        map_share: float | None = None,
        cues: VisibleCues | None = None,
        limits: PipelineLimits | None = None,
        versions: Mapping[str, str] | None = None,
        speakers: Speakers | None = None,
        demo: bool = False,
    ) -> None:
        self.finder = finder
        self.scorer = scorer
        self.detector, self.calibrator = scorer.detector, scorer.calibrator
        self.attributor = attributor
        self.narrator = narrator
        self.limits = limits or PipelineLimits()
        self.versions = dict(versions or {})
        self.speakers = speakers
        self.demo = demo
        self._causal = causal
        self._fragility = fragility
        self._measurer = Measurer(
            scorer=scorer,
            attributor=attributor,
            region_baseline=region_baseline,
            map_share=map_share,
            cues=cues,
        )

    @property
    def vlm(self) -> VlmBackend:
        """The text backend in use."""
        return self.narrator.vlm

    @property
    def can_describe(self) -> bool:
        """Whether the text backend sees pictures (``blind``)."""
        return self.narrator.vlm.supports_images

    @property
    def measures_fragility(self) -> bool:
        """Whether :meth:`probe_fragility` adds anything."""
        return self._fragility is not None

    def provenance(self) -> dict[str, Mapping[str, str]]:
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
        causal: bool = True,
        fragility: bool = True,
        span: Span = WHOLE,
        person: int = 1,
        cancel: _Stop = None,
    ) -> Iterator[Event]:
        """Analyse one file.

        Args:
            data: the file's bytes.
            explain: also write the explanation of the first (largest) face.
            blind: before that, have the model describe the face without the score.
            causal: also take out regions and score again, as facts.
            fragility: also measure, before the words, how steady the score and the regions are;
                False: :meth:`probe_fragility` does it later.
            span: the part of a clip to look at, in seconds; None: to its end.
            person: which face, or person of a clip, is explained, from 1.
            cancel: stops the analysis.

        Yields:
            ``MediaReady``; ``NoFace``, or for each face ``FaceFound`` and ``Analyzed``, then a
            second ``Analyzed`` for the first face once its causal checks are in, a third with the
            fragility; ``Described`` with ``blind``; ``Token`` while text is written; ``Explained``;
            the further ``Analyzed`` of the other faces; ``Done``. ``Failed`` ends it at any point.
        """
        try:
            how = (explain, blind, causal, fragility, span, person, cancel)
            for event in self._analyze(data, *how):
                yield event
                if isinstance(event, Progress | Analyzed):
                    stop_if(cancel)
        except AssistantError as error:
            yield Failed(error=error)

    def score(self, data: bytes) -> Iterator[Event]:
        """Score one file's faces and nothing else: no map, no checks, no words, no gradient.

        Yields ``MediaReady``; ``NoFace``, or ``FaceFound``s and then ``Scored``; or ``Failed``.
        """
        try:
            yield from self._score(data)
        except AssistantError as error:
            yield Failed(error=error)

    def explain(
        self,
        result: FaceAnalysis,
        *,
        blind: bool = False,
        by_model: bool | None = None,
        cancel: _Stop = None,
    ) -> Iterator[Event]:
        """Write and check one face's explanation; the events are those of :meth:`analyze`."""
        try:
            write = partial(self.narrator.explain, result, blind=blind, by_model=by_model)
            yield from _told(write(cancel=cancel))
        except AssistantError as error:
            yield Failed(error=error)

    def ask(
        self,
        result: FaceAnalysis,
        question: str,
        *,
        history: Sequence[Turn] = (),
        by_model: bool | None = None,
        cancel: _Stop = None,
        picture: Picture | None = None,
    ) -> Iterator[Event]:
        """Answer a question from the evidence; the face is never scored anew for a verdict.

        What a question asks to be measured (``picture``: the file, for a second opinion or a part
        of a clip) is added as facts: ``Analyzed`` with the same score tells them first.
        Yields ``Token`` while text is written, then ``TurnDone``; or ``Failed``.
        """
        try:
            check_question(question, self.limits.max_question_characters)
            look = partial(self._tracks, seconds={}, cancel=cancel)
            for told in facts_for(result, question, self.scorer, self.speakers, picture, look):
                result = told.result if isinstance(told, Analyzed) else result
                yield told
            if self._fragility and self.narrator.wants_fragility(question, result.evidence):
                yield Progress(stage="fragility", done=0, total=1)
                result = self.probe_fragility(result)
                yield Analyzed(result=result)
            write = partial(self.narrator.answer, history=history, by_model=by_model, cancel=cancel)
            for piece in write(result, question):
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
        return self._measurer.with_stability(self._measurer.with_facts(result, self._fragility))

    def _analyze(
        self,
        data: bytes,
        explain: bool,
        blind: bool,
        causal: bool,
        fragility: bool,
        span: Span,
        person: int,
        cancel: _Stop,
    ) -> Iterator[Event]:
        began = time.perf_counter()
        seconds: dict[str, float] = {}
        media, found = yield from self._tracks(data, seconds, span, cancel)
        if not found.tracks:
            return
        first = chosen(person, len(found.tracks))
        if explain:
            self.narrator.warm_up()
        step = time.perf_counter()
        results: list[FaceAnalysis] = []
        for result in self._measurer.measure(found.tracks, cancel):
            results.append(result)
            if explain and not blind and len(results) == person:
                self.narrator.read_ahead(result)
            yield Analyzed(result=result)
        seconds["score_and_map"] = time.perf_counter() - step
        probe = partial(
            self._probed, results, seconds, causal=causal, fragility=fragility, cancel=cancel
        )
        yield from probe([first])
        explanation = None
        if explain:
            for event in _told(self.narrator.explain(results[first], blind=blind, cancel=cancel)):
                if isinstance(event, Explained):
                    explanation = event.explanation
                    seconds["explanation"] = explanation.seconds
                    seconds["first_words"] = explanation.first_token_seconds
                yield event
        yield from probe([i for i in range(len(results)) if i != first])
        seconds["total"] = time.perf_counter() - began
        yield Done(
            analysis=Analysis(
                media=media,
                faces=tuple(results),
                explanation=explanation,
                versions=self.versions,
                warnings=found.warnings,
                seconds=seconds,
            )
        )

    def _score(self, data: bytes) -> Iterator[Event]:
        began = time.perf_counter()
        seconds: dict[str, float] = {}
        media, found = yield from self._tracks(data, seconds)
        if not found.tracks:
            return
        step = time.perf_counter()
        scored = self.scorer.score(found.tracks)
        seconds["score"] = time.perf_counter() - step
        seconds["total"] = time.perf_counter() - began
        yield Scored(
            scores=Scores(
                media=media,
                faces=tuple(FaceScore(face=each.face, score=each.score) for each in scored),
                versions=self.versions,
                warnings=found.warnings,
                seconds=seconds,
            )
        )

    def _tracks(
        self, data: bytes, seconds: dict[str, float], span: Span = WHOLE, cancel: _Stop = None
    ) -> Generator[Event, None, tuple[Media, FoundTracks]]:
        """Decode a file and find its faces, with all warnings; ``NoFace`` where there are none."""
        step = time.perf_counter()
        media = load_media(data, self.limits.media, span=span, cancel=cancel)
        yield MediaReady(media=media)
        seconds["decode"] = time.perf_counter() - step
        step = time.perf_counter()
        spec, most = self.detector.crop_spec, self.limits.max_faces
        found = yield from find_tracks(media, self.finder, spec, most=most, read=self.scorer.read)
        found = replace(found, warnings=(*media.warnings, *found.warnings))
        seconds["faces"] = time.perf_counter() - step
        for track in found.tracks:
            yield FaceFound(face=track.faces[0])
        if not found.tracks:
            yield no_face(media, found.warnings)
        return media, found

    def _probed(
        self,
        results: list[FaceAnalysis],
        seconds: dict[str, float],
        which: Sequence[int],
        *,
        causal: bool,
        fragility: bool,
        cancel: _Stop,
    ) -> Iterator[Event]:
        """Add causal checks and fragility to some of ``results``, in place; time them."""
        steps: list[tuple[str, Callable[[FaceAnalysis], FaceAnalysis]]] = []
        if causal and self._causal is not None:
            checked = partial(self._measurer.with_facts, probe=self._causal, cancel=cancel)
            steps.append(("counterfactuals", checked))
        if fragility and self._fragility is not None:
            steps.append(("fragility", self.probe_fragility))
        for stage, measured in steps:
            step = time.perf_counter()
            for i in which:
                yield Progress(stage=stage, done=i, total=len(results))
                results[i] = measured(results[i])
                yield Analyzed(result=results[i])
            seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - step


def _told(pieces: Iterator[str | Description | Explanation]) -> Iterator[Event]:
    for piece in pieces:
        if isinstance(piece, Explanation):
            yield Explained(explanation=piece)
        elif isinstance(piece, Description):
            yield Described(description=piece)
        else:
            yield Token(text=piece)
