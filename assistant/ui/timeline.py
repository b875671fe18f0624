"""The people of a clip over time: a lane each, its stretches and its worst frames, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2

from assistant.evidence import clock, percent
from assistant.overlay import blend
from assistant.types import Analysis, FaceAnalysis, Timeline, WorstFrame
from assistant.ui.markup import data_uri, render

__all__ = ["STYLE", "timeline_page", "timeline_panel"]

#: Of the lanes, here and on the page.
STYLE = Path(__file__).parent / "timeline.css"
_THUMB = 112
_TICKS = 6


@dataclass(frozen=True, slots=True)
class _Cell:
    """A part of a lane in percent of its width: ``look`` is a verdict's name or ``unjudged``."""

    left: float
    width: float
    look: str
    title: str


def timeline_panel(faces: Sequence[FaceAnalysis], *, active: int = -1) -> str:
    """The lanes of all people; empty for a picture, or a clip of one frame."""
    timed = [(face, face.timeline) for face in faces if face.timeline is not None]
    if not timed:
        return ""
    begin, end = timed[0][1].begin, timed[0][1].end
    lanes = [_lane(face, timeline, begin, end, active) for face, timeline in timed]
    return render("timeline", "panel", lanes, _ticks(begin, end))


def timeline_page(file: str, analysis: Analysis) -> str:
    """A whole HTML page of its own: styles and pictures lie within it, and nothing is loaded."""
    style = STYLE.read_text(encoding="utf-8")
    return render(
        "timeline",
        "page",
        file,
        timeline_panel(analysis.faces),
        analysis.warnings,
        dict(analysis.versions),
        style,
    )


def _lane(
    face: FaceAnalysis, timeline: Timeline, begin: float, end: float, active: int
) -> dict[str, object]:
    length = max(1e-6, end - begin)

    def place(a: float, b: float, look: str, title: str) -> _Cell:
        return _Cell(
            round(100 * (a - begin) / length, 3), round(100 * (b - a) / length, 3), look, title
        )

    moments = timeline.moments
    middles = [(a.seconds + b.seconds) / 2 for a, b in pairwise(moments)]
    edges = [begin, *middles, end]
    cells = [
        place(
            a,
            b,
            moment.verdict.value if moment.judged else "unjudged",
            f"{clock(moment.seconds)}: {percent(moment.probability)}"
            + ("" if moment.judged else ", not judged"),
        )
        for moment, a, b in zip(moments, edges, edges[1:], strict=False)
    ]
    gone = [
        place(a, b, "unjudged", f"{clock(a)} to {clock(b)}: not seen") for a, b in _gaps(timeline)
    ]
    runs: list[list[str]] = [[]]
    for before, moment in zip([moments[0], *moments], moments, strict=False):
        if any(before.seconds < a < moment.seconds for a, _ in timeline.absent):
            runs.append([])
        left = 100 * (moment.seconds - begin) / length
        runs[-1].append(f"{left:.2f},{100 * (1 - moment.probability):.1f}")
    score = face.score
    return {
        "name": f"Person {face.face.index + 1}",
        "active": face.face.index == active,
        "verdict": score.verdict.value,
        "words": score.verdict.words,
        "probability": score.probability,
        "interval": score.interval,
        "frames": len(moments),
        "cells": [*cells, *gone],
        "lines": [" ".join(run) for run in runs],
        "stretches": [
            (
                place(s.begin, s.end, s.verdict.value, ""),
                f"{clock(s.begin)} to {clock(s.end)}: {percent(s.probability)}, "
                f"{s.verdict.words}, highest at {clock(s.peak)}",
            )
            for s in timeline.stretches
        ],
        "worst": [_worst(frame) for frame in timeline.worst],
    }


def _gaps(timeline: Timeline) -> list[tuple[float, float]]:
    return [(max(a, timeline.begin), min(b, timeline.end)) for a, b in timeline.absent]


def _worst(frame: WorstFrame) -> dict[str, str]:
    def jpeg(picture: object) -> str:
        small = cv2.resize(picture, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA)
        coded = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
        return data_uri(coded.tobytes(), "image/jpeg")

    return {
        "at": clock(frame.seconds),
        "probability": percent(frame.probability),
        "crop": jpeg(frame.crop),
        "map": jpeg(blend(frame.crop, frame.attribution.map, 0.8)),
    }


def _ticks(begin: float, end: float) -> list[tuple[float, str]]:
    step = (end - begin) / _TICKS
    fine = step < 2
    return [
        (round(100 * i / _TICKS, 2), clock(begin + i * step, fine=fine)) for i in range(_TICKS + 1)
    ]
