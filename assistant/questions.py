"""What a question is before it is answered: whether it can be read, and which times it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from assistant.errors import InferenceError
from assistant.events import Analyzed, Event
from assistant.evidence import MomentFact, PartFact, renumbered
from assistant.interfaces import Calibrator
from assistant.opinions import Picture, second_opinion
from assistant.routing import named_times
from assistant.speakers import Speakers
from assistant.timeline import clip_logit
from assistant.types import FaceAnalysis, Fact, Timeline

__all__ = ["check_question", "chosen", "facts_for", "with_named_times"]

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
    calibrator: Calibrator,
    speakers: Speakers | None,
    picture: Picture | None,
) -> Iterator[Event]:
    """Measure what a question names: a time of a clip, another detector. The score stays.

    Yields:
        ``Progress``, and ``Analyzed`` with each fact that is added.

    Raises:
        AssistantError: the other detector cannot speak of this face.
    """
    timed = with_named_times(result, question, calibrator)
    if timed is not result:
        yield Analyzed(result=timed)
    yield from second_opinion(timed, question, speakers, picture)


def with_named_times(result: FaceAnalysis, question: str, calibrator: Calibrator) -> FaceAnalysis:
    """The same analysis with what was measured at the time that a question names.

    A part is scored by the moments in it alone. The person's own score and verdict stay.
    """
    named, timeline = named_times(question), result.timeline
    if named is None or timeline is None:
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
    )


def _part(timeline: Timeline, part: tuple[float, float], calibrator: Calibrator) -> Fact:
    begin, end = part
    moments = [m for m in timeline.within(begin, end) if m.judged]
    if not moments:
        return PartFact(id="T1", begin=begin, end=end, frames=0)
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
