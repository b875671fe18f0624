"""A scored person of a clip over time: the lane with its stretches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.cues.motion import SPOILT, Motion
from assistant.interfaces import Calibrator
from assistant.scoring import ScoredFace, laid_in_of, looks_of
from assistant.timeline import StretchRule, clip_logit, raised_parts
from assistant.types import Moment, Stretch, Timeline, Verdict

__all__ = ["motion_of", "stretches_of", "timeline_of", "worst_moments"]

_WORST = 2
_APART = 0.5  # seconds between two of the worst frames


def timeline_of(scored: ScoredFace, calibrator: Calibrator) -> Timeline | None:
    """The lane of a clip's person; None for a picture, or where there is one moment."""
    if len(scored.moments) < 2:
        return None
    begin, end = scored.track.media.span
    return Timeline(
        moments=scored.moments,
        stretches=stretches_of(
            scored.moments,
            (begin, end),
            calibrator,
            laid_in=laid_in_of(scored.track.readings or ()),
            looks=looks_of(scored.track.readings or ()),
            shots=scored.track.shots or None,
        ),
        absent=scored.track.absent,
        begin=begin,
        end=end,
        rule=scored.rule,
    )


def stretches_of(
    moments: Sequence[Moment],
    span: tuple[float, float],
    calibrator: Calibrator,
    rule: StretchRule | None = None,
    *,
    laid_in: NDArray[np.float64] | None = None,
    looks: NDArray[np.floating] | None = None,
    shots: Sequence[int] | NDArray[np.integer] | None = None,
) -> tuple[Stretch, ...]:
    """The parts in which a person's score stands out.

    That is a part that lies above the rest and is not itself without a sign, or the whole where all
    of it is likely manipulated. Moments that say nothing are left out. ``laid_in``: of each moment,
    see :func:`laid_in_of`; a part is looked for in these answers where there are such, for a face
    that is exchanged for a time is laid in, and the joint score may fall where it rises.
    """
    told = np.array([moment.judged for moment in moments], bool)
    judged = [moment for moment in moments if moment.judged]
    if len(judged) < 2:
        return ()
    seconds = np.array([m.seconds for m in judged])
    logits = np.array([m.logit for m in judged])
    answers = logits if laid_in is None else laid_in[told]
    parts = raised_parts(
        answers,
        rule,
        looks=None if looks is None else looks[told],
        shots=None if shots is None else np.asarray(shots)[told],
    )
    if not parts:
        whole = calibrator.calibrate(clip_logit(seconds, logits))
        if whole.verdict is not Verdict.LIKELY_MANIPULATED:
            return ()
        parts = [(0, len(judged) - 1)]
    inside = np.zeros(len(judged), bool)
    for first, last in parts:
        inside[first : last + 1] = True
    rest = None
    if not inside.all():
        rest = calibrator.calibrate(clip_logit(seconds[~inside], logits[~inside])).probability
    edges = [span[0], *((seconds[1:] + seconds[:-1]) / 2), span[1]]
    found = []
    for first, last in parts:
        own = slice(first, last + 1)
        calibrated = calibrator.calibrate(clip_logit(seconds[own], logits[own]))
        if calibrated.verdict is Verdict.NO_SIGN:
            continue
        peak = float(seconds[first + int(np.argmax(logits[own]))])
        found.append(
            Stretch(
                begin=min(peak, round(float(edges[first]), 3)),
                end=max(peak, round(float(edges[last + 1]), 3)),
                peak=peak,
                probability=calibrated.probability,
                interval=calibrated.interval,
                verdict=calibrated.verdict,
                elsewhere=rest,
            )
        )
    return tuple(found)


def motion_of(scored: ScoredFace, stretches: Sequence[Stretch]) -> Motion:
    """A clip's person as the cues over time see them."""
    seconds = np.array([m.seconds for m in scored.moments])
    faces = scored.track.faces
    looks = looks_of(scored.track.readings or ())
    inside = np.zeros(len(seconds), bool)
    for stretch in stretches:
        inside |= (seconds >= stretch.begin) & (seconds <= stretch.end)
    apart = [float(np.linalg.norm(f.landmarks[1] - f.landmarks[0])) for f in faces]
    return Motion(
        seconds=seconds,
        values=np.array(scored.track.moments),
        looks=np.zeros((len(faces), 0), np.float64) if looks is None else looks.astype(np.float64),
        shots=np.array(scored.track.shots or [0] * len(faces)),
        spoilt=np.array([bool(SPOILT & {n.issue for n in f.quality}) for f in faces]),
        eyes=float(np.median(apart)),
        box_xyxy=scored.face.box_xyxy,
        inside=inside if inside.any() and not inside.all() else None,
    )


def worst_moments(moments: Sequence[Moment]) -> list[int]:
    """Which moments have the highest scores: numbers, the highest first, not all of one blink."""
    chosen: list[int] = []
    for number in sorted(range(len(moments)), key=lambda i: -moments[i].logit):
        at = moments[number].seconds
        if all(abs(at - moments[other].seconds) >= _APART for other in chosen):
            chosen.append(number)
        if len(chosen) == _WORST:
            break
    return chosen
