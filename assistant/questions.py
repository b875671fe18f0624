"""What a question is before it is answered: whether it can be read, and which times it names."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from assistant.errors import InferenceError
from assistant.events import Analyzed, Event, Progress
from assistant.evidence import MomentFact, PartFact, renumbered
from assistant.interfaces import Calibrator
from assistant.opinions import Picture, second_opinion
from assistant.routing import named_times
from assistant.scoring import ScoredFace, Scorer
from assistant.speakers import Speakers
from assistant.timeline import clip_logit
from assistant.tracks import FoundTracks
from assistant.types import FaceAnalysis, Fact, Media, Timeline

__all__ = ["Look", "check_question", "chosen", "facts_for", "with_named_times"]

#: A file's bytes and ``span`` to what is seen in that part.
Look = Callable[..., Generator[Event, None, tuple[Media, FoundTracks]]]
_Result = TypeVar("_Result")
_ASTRAY = 0.7  # sides of the face: farther away it is someone else
_NEAR = 1.0  # seconds: farther from every frame that was read, the person was not seen


def check_question(question: str, most: int) -> None:
    """Refuse a question that is empty or has more than ``most`` characters.

    Raises:
        InferenceError: it is one of these.
    """
    if not question.strip():
        raise InferenceError(
            "The question is empty.",
            hint='Ask for example "why?", "where?" or "how sure are you?".',
            code="empty-question",
        )
    if len(question) > most:
        raise InferenceError(
            f"The question has {len(question):,} characters; at most {most:,} are read.",
            hint="Shorten it; nothing of the conversation was lost.",
            code="question-too-long",
        )


def chosen(person: int, count: int) -> int:
    """The index of person ``person`` (from 1) of ``count``.

    Raises:
        InferenceError: there are fewer.
    """
    if person > count:
        raise InferenceError(
            f"There is no person {person}: {count} can be judged.",
            hint=f"Name one from 1 to {count}.",
            code="no-such-person",
        )
    return person - 1


def facts_for(
    result: FaceAnalysis,
    question: str,
    scorer: Scorer,
    speakers: Speakers | None,
    picture: Picture | None,
    look: Look,
) -> Iterator[Event]:
    """Measure what a question names: a time of a clip, another detector. The score stays.

    A part of a clip is looked at anew where the file is at hand; otherwise the frames count that
    were read before.

    Yields:
        ``Progress``, and ``Analyzed`` with each fact that is added.

    Raises:
        AssistantError: the other detector cannot speak of this face.
    """
    part = _part_to_score(result, question)
    if part is not None and picture is not None:
        _, found = yield from _progress_of(look(picture(), span=part))
        result = _with_part(result, part, scorer.score(found.tracks))
        yield Analyzed(result=result)
    timed = with_named_times(result, question, scorer.calibrator)
    if timed is not result:
        yield Analyzed(result=timed)
    yield from second_opinion(timed, question, speakers, picture)


def _progress_of(
    steps: Generator[Event, None, _Result],
) -> Generator[Event, None, _Result]:
    """What they return; of what they tell, the progress alone."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            result: _Result = end.value
            return result
        if isinstance(event, Progress):
            yield event


def _part_to_score(result: FaceAnalysis, question: str) -> tuple[float, float] | None:
    """The part of a clip that a question names and that was not scored by itself before."""
    named = named_times(question)
    if result.timeline is None or not isinstance(named, tuple):
        return None
    if _outside(result.timeline, *named):
        return None
    known = {(fact.begin, fact.end) for fact in result.evidence.of(PartFact)}
    return None if named in known else named


def _with_part(
    result: FaceAnalysis, part: tuple[float, float], people: Sequence[ScoredFace]
) -> FaceAnalysis:
    """With what was measured in a part: of its people, who is where the person's lane says."""
    begin, end = part
    near = [(_astray(result.timeline, one), one) for one in people if one.moments]
    away, same = min(near, key=lambda pair: pair[0], default=(np.inf, None))
    fact = PartFact(id="T1", begin=begin, end=end, frames=0)
    if same is not None and away <= _ASTRAY:
        fact = replace(
            fact,
            frames=len(same.moments),
            probability=same.score.probability,
            low=same.score.interval[0],
            high=same.score.interval[1],
            verdict=same.score.verdict,
        )
    return replace(result, evidence=renumbered(result.evidence, [fact]))


def _astray(timeline: Timeline | None, scored: ScoredFace) -> float:
    """How far a person is from where a lane says, in sides of the face; in the median."""
    astray: list[float] = []
    for moment in scored.moments if timeline else ():
        there = timeline.box_at(moment.seconds) if timeline else None
        if there is None or moment.box_xyxy is None:
            continue
        a, b = np.array(there), np.array(moment.box_xyxy)
        middle = (a[:2] + a[2:] - b[:2] - b[2:]) / 2
        astray.append(float(np.linalg.norm(middle)) / max(1.0, a[2] - a[0]))
    return float(np.median(astray)) if astray else np.inf


def with_named_times(result: FaceAnalysis, question: str, calibrator: Calibrator) -> FaceAnalysis:
    """The same analysis with what was measured at the time that a question names.

    A part is scored by the moments in it alone. The person's own score and verdict stay.
    """
    named, timeline = named_times(question), result.timeline
    if named is None or timeline is None:
        return result
    if any((fact.begin, fact.end) == named for fact in result.evidence.of(PartFact)):
        return result
    fact = (
        _part(timeline, named, calibrator) if isinstance(named, tuple) else _moment(timeline, named)
    )
    known = {f.text for f in result.evidence.facts}
    if fact.text in known:
        return result
    return replace(result, evidence=renumbered(result.evidence, [fact]))


def _moment(timeline: Timeline, at: float) -> Fact:
    nearest = timeline.nearest(at)
    away = any(a <= at <= b for a, b in timeline.absent)
    seen = abs(nearest.seconds - at) <= _NEAR and not away
    return MomentFact(
        id="T1",
        at=at,
        read=nearest.seconds,
        probability=nearest.probability if seen else None,
        judged=nearest.judged,
        looked=_outside(timeline, at, at),
    )


def _outside(timeline: Timeline, begin: float, end: float) -> tuple[float, float] | None:
    """What was looked at, where a time lies wholly outside of it."""
    outside = begin > timeline.end + 0.5 or end < timeline.begin - 0.5
    return (timeline.begin, timeline.end) if outside else None


def _part(timeline: Timeline, part: tuple[float, float], calibrator: Calibrator) -> Fact:
    begin, end = part
    moments = [m for m in timeline.within(begin, end) if m.judged]
    if not moments:
        looked = _outside(timeline, begin, end)
        return PartFact(id="T1", begin=begin, end=end, frames=0, looked=looked)
    seconds = np.array([m.seconds for m in moments])
    calibrated = calibrator.calibrate(clip_logit(seconds, np.array([m.logit for m in moments])))
    return PartFact(
        id="T1",
        begin=begin,
        end=end,
        frames=len(moments),
        probability=calibrated.probability,
        low=calibrated.interval[0],
        high=calibrated.interval[1],
        verdict=calibrated.verdict,
    )
