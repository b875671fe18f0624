"""What clips show over time: the reference of the cues over time.

Genuine are the untouched people, and of a made clip's manipulated person the time outside of the
stretch; manipulated is the stretch itself, or the whole of a manipulated clip of a set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.cues.motion import MOTION_CUES, Motion, MotionCue, widest
from assistant.cues.reference import SCHEMA, Known
from assistant.evaluation.detection_metrics import auroc, bootstrap_interval
from assistant.evaluation.judged import JudgedPerson
from assistant.types import CueReading

__all__ = ["MotionTable", "Seen", "judge_motion", "motion_reference", "seen_people"]

#: The share of genuine clips up to which a reading counts as unusual.
_LIMIT = 0.04
_LEAST_GENUINE, _LEAST_MANIPULATED = 20, 5
_LEAST_AUROC = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A person of a clip over a time in which they were genuine, or manipulated."""

    clip: str
    source: str
    manipulated: bool
    motion: Motion


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionTable:
    """How a cue over time does: counts of clips that could be judged, AUROC with its 95 % interval.

    ``why``: empty for a cue that may speak, else why it went out.
    """

    cue: str
    genuine: int
    manipulated: int
    auroc: float | None
    low: float | None
    high: float | None
    why: str


def seen_people(people: Sequence[JudgedPerson]) -> list[Seen]:
    """All that judged clips give to the reference."""
    return [
        seen
        for person in people
        if person.motion is not None and not person.again
        for seen in _parts_of(
            person.motion,
            person.stretch,
            manipulated=person.manipulated,
            clip=person.clip,
            source=person.source,
        )
    ]


def _parts_of(
    motion: Motion, stretch: tuple[float, float] | None, *, manipulated: bool, **names: str
) -> list[Seen]:
    """What a person of a clip gives to the reference: themselves, or the time in and out."""
    if stretch is None:
        known = replace(motion, inside=motion.inside if manipulated else widest(motion).inside)
        return [Seen(manipulated=manipulated, motion=known, **names)]
    inside = (motion.seconds >= stretch[0]) & (motion.seconds < stretch[1])
    found = []
    if inside.any():
        whole = replace(motion, inside=motion.inside if motion.inside is not None else inside)
        found.append(Seen(manipulated=True, motion=whole, **names))
    if (~inside).sum() > 1:
        found.append(Seen(manipulated=False, motion=widest(_only(motion, ~inside)), **names))
    return found


def _only(motion: Motion, kept: NDArray[np.bool_]) -> Motion:
    return replace(
        motion,
        seconds=motion.seconds[kept],
        values=motion.values[kept],
        looks=motion.looks[kept] if motion.looks.size else motion.looks,
        shots=motion.shots[kept],
        spoilt=motion.spoilt[kept],
        inside=None,
    )


def _value(cue: MotionCue, seen: Seen) -> float:
    """The reading; of a manipulated person the time of the stretch alone, where that is known."""
    motion = seen.motion
    if seen.manipulated and not cue.of_stretch and motion.inside is not None:
        motion = _only(motion, motion.inside)
    read = cue.measure(motion)
    return read.value if isinstance(read, CueReading) else float("nan")


def judge_motion(people: Sequence[Seen], resamples: int = 400) -> list[MotionTable]:
    """Which cues hold up: enough clips, and manipulated ones that differ from genuine ones."""
    tables = []
    for cue in MOTION_CUES:
        values = np.array([_value(cue, p) for p in people])
        known = np.isfinite(values)
        labels = np.array([p.manipulated for p in people])[known]
        groups = [p.clip for p, k in zip(people, known, strict=True) if k]
        counts = int((~labels).sum()), int(labels.sum())
        score = low = high = None
        if min(counts):
            scores = cue.sign * values[known]
            score = auroc(labels, scores)
            low, high = bootstrap_interval(auroc, labels, scores, groups, resamples=resamples) or (
                None,
                None,
            )
        why = ""
        if counts[0] < _LEAST_GENUINE or counts[1] < _LEAST_MANIPULATED:
            why = f"only {counts[0]} genuine and {counts[1]} manipulated clips could be judged"
        elif score is None or score < _LEAST_AUROC or low is None or low <= 0.5:
            why = "manipulated clips do not show more of it than genuine ones"
        tables.append(
            MotionTable(
                cue=cue.name,
                genuine=counts[0],
                manipulated=counts[1],
                auroc=score,
                low=low,
                high=high,
                why=why,
            )
        )
    return tables


def motion_reference(people: Sequence[Seen], tables: Sequence[MotionTable]) -> dict[str, Any]:
    """The file that :func:`assistant.cues.reference.load_reference` reads.

    A cue that went out has no limit in it, and so is not measured.
    """
    kept = [cue for cue in MOTION_CUES if any(t.cue == cue.name and not t.why for t in tables)]
    sources: dict[str, list[int]] = {}
    for seen in people:
        sources.setdefault(seen.source, [0, 0])[seen.manipulated] += 1
    return {
        "schema": SCHEMA,
        "limits": {cue.name: _LIMIT for cue in kept},
        "tells_of": {},
        "sources": sources,
        "genuine": _columns([p for p in people if not p.manipulated], kept),
        "manipulated": _columns([p for p in people if p.manipulated], kept),
    }


def _columns(people: Sequence[Seen], cues: Sequence[MotionCue]) -> dict[str, Any]:
    known = Known(
        eyes=np.array([p.motion.eyes for p in people]),
        fineness=np.array([p.motion.fineness for p in people]),
        values={cue.name: np.array([_value(cue, p) for p in people]) for cue in cues},
    )
    return {
        "eyes": [round(float(v), 2) for v in known.eyes],
        "fineness": [round(float(v), 4) for v in known.fineness],
        "values": {
            cue: [round(float(v), 5) if np.isfinite(v) else None for v in column]
            for cue, column in known.values.items()
        },
    }
