"""An analysis of a clip, made by hand: two people, one with a stretch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assistant.evidence import other_people, renumbered, time_facts
from assistant.types import (
    Analysis,
    FaceAnalysis,
    Media,
    Moment,
    Stretch,
    Timeline,
    Verdict,
    WorstFrame,
)
from tests.unit.evaluation.analyses import analysis as analysis_of_a_face
from tests.unit.grounding.cases import uncertain

_FAKE = Verdict.LIKELY_MANIPULATED


def moment(seconds: float, logit: float, *, judged: bool = True) -> Moment:
    p = float(1 / (1 + np.exp(-logit)))
    return Moment(
        seconds=seconds,
        logit=logit,
        probability=p,
        interval=(max(0.0, p - 0.1), min(1.0, p + 0.1)),
        verdict=_FAKE if p > 0.7 else Verdict.NO_SIGN if p < 0.3 else Verdict.UNCERTAIN,
        judged=judged,
        box_xyxy=(20.0 + seconds, 20.0, 60.0 + seconds, 70.0),
    )


def timed(result: FaceAnalysis) -> FaceAnalysis:
    """The same with a lane of ten seconds that stands out from 0:03 to 0:05, absent from 0:08."""
    moments = tuple(moment(s, 2.5 if 3 < s < 5 else -1.0) for s in np.arange(0.25, 8, 0.5))
    stretch = Stretch(
        begin=3.0,
        end=5.0,
        peak=3.25,
        probability=0.92,
        interval=(0.85, 0.97),
        verdict=_FAKE,
        elsewhere=0.27,
    )
    worst = WorstFrame(
        seconds=3.25, probability=0.92, crop=result.face.crop, attribution=result.attribution
    )
    timeline = Timeline(
        moments=moments, stretches=(stretch,), absent=((8.0, 10.0),), end=10.0, worst=(worst,)
    )
    added = [*time_facts(timeline), *other_people([(1, result.score)])]
    return replace(result, timeline=timeline, evidence=renumbered(result.evidence, added))


def clip_analysis() -> Analysis:
    """Person 1 with the stretch; person 2 without one."""
    result = analysis_of_a_face(uncertain())
    first = timed(result)
    quiet = Timeline(moments=tuple(moment(s, -2.0) for s in np.arange(0.0, 10, 1.0)), end=10.0)
    second = replace(result, face=replace(result.face, index=1), timeline=quiet)
    media = Media(
        id="a" * 64,
        kind="video",
        frames=(np.full((96, 128, 3), 90, np.uint8),) * 2,
        width=128,
        height=96,
        seconds=(0.0, 5.0),
        span=(0.0, 10.0),
    )
    return Analysis(
        media=media,
        faces=(first, second),
        explanation=None,
        versions={"whyfake": "0", "detector": "made"},
        warnings=("Only the <b>picture</b> was judged.",),
    )
