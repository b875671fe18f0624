"""A second opinion: another detector scores the same face, as a fact beside the first score."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from assistant import registry
from assistant.errors import InferenceError, PluginError
from assistant.events import Analyzed, Event, Failed, NoFace, Progress, Scored
from assistant.evidence import AgreementFact, OpinionFact, renumbered
from assistant.routing import asks_agreement, named_detector
from assistant.speakers import Speakers
from assistant.types import FaceAnalysis, Score

__all__ = ["Picture", "second_opinion"]

#: Gives the bytes that a result was measured on; they are read only where they are needed.
Picture = Callable[[], bytes]


def second_opinion(
    result: FaceAnalysis, question: str, speakers: Speakers | None, picture: Picture | None
) -> Iterator[Event]:
    """Where a question asks for another detector: ``Progress``, then ``Analyzed`` with its fact.

    The other detector scores the whole file, as an analysis with it would. The first score stays.

    Raises:
        PluginError: no other detector can run here.
        InferenceError: the file is not at hand any more, or the other detector finds no such face.
        AssistantError: the detector cannot run here.
    """
    name = _asked(result, question, speakers)
    if name is None:
        return
    if speakers is None:
        raise InferenceError(
            "This assistant has one detector alone, so there is no second opinion.",
            hint="Make it from settings (assistant.compose.build), which know the others.",
            code="no-other-detector",
        )
    yield Progress(stage="a second opinion", done=0, total=1)
    other = speakers.speaker(name)
    if picture is None:
        raise InferenceError(
            "The file is not kept any more, so no other detector can look at it.",
            hint="Give the file again, then ask.",
            code="picture-gone",
        )
    score: Score | None = None
    for event in other.score(picture()):
        if isinstance(event, Progress):
            yield event
        elif isinstance(event, Failed):
            raise event.error
        elif isinstance(event, NoFace):
            break
        elif isinstance(event, Scored) and event.scores.media.id == result.face.media_id:
            found = [f for f in event.scores.faces if f.face.index == result.face.index]
            score = found[0].score if found else None
    if score is None:
        raise InferenceError(
            f"The detector {name} was shown the file and found no such face in it.",
            hint="Give the file again, then ask.",
            code="no-such-face",
        )
    fact = OpinionFact.of(score, result.score)
    yield Analyzed(result=replace(result, evidence=renumbered(result.evidence, [fact])))


def _asked(result: FaceAnalysis, question: str, speakers: Speakers | None) -> str | None:
    """Which detector must be asked before a question can be answered; None: no further one.

    A detector that has spoken of this face is not asked again.

    Raises:
        PluginError: any other is asked for, and none can run here.
    """
    name = named_detector(question, registry.names("detectors"))
    first = result.score.detector
    if name is None or name == first:
        return None
    agreed = result.evidence.first(AgreementFact)
    members = {o.detector for o in agreed.opinions} if agreed else set()
    if agreed and (name in members or asks_agreement(question)):
        return None
    told = {fact.opinion.detector for fact in result.evidence.of(OpinionFact)}
    if name in told:
        return None
    if name or speakers is None:
        return name
    try:
        return speakers.another({first, *told})
    except PluginError:
        if told:  # all that can speak have spoken
            return None
        raise
