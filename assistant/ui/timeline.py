"""A clip's player and its people over time: a lane each, stretches and worst frames, as HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2

from assistant.evidence import clock, cue_facts, percent
from assistant.marked_clip import marked_frame
from assistant.media.sniff import sniff
from assistant.overlay import blend
from assistant.pairs import cue_pairs
from assistant.types import Analysis, FaceAnalysis, Image, Media, Moment, Timeline, WorstFrame
from assistant.ui.markup import data_uri, render

__all__ = ["SCRIPT", "STYLE", "player_panel", "timeline_page", "timeline_panel"]

#: Of player and lanes, here and on the page.
STYLE = Path(__file__).parent / "timeline.css"
SCRIPT = Path(__file__).parent / "timeline.js"
_THUMB = 112
_STILL = 480
_TICKS = 6
#: A larger clip does not lie within a page of its own, but can be chosen there.
_MOST_EMBEDDED = 24 * 2**20
_PLAYED = {"mp4": "video/mp4", "matroska": "video/webm"}


@dataclass(frozen=True, slots=True)
class _Cell:
    """A part of a lane in percent of its width: ``look`` is a verdict's name or ``unjudged``."""

    left: float
    width: float
    look: str
    title: str


def player_panel(
    media: Media,
    faces: Sequence[FaceAnalysis],
    *,
    source: str = "",
    note: str = "",
    demo: bool = False,
) -> str:
    """The player, with the frames that were read for browsers that cannot play the file.

    Args:
        media: a clip with its frames.
        faces: its people; where none has a timeline there is no player.
        source: the clip as a data URI; without it the page's script plays the file that was given.
        note: asks for the file; empty: it is not asked for.
        demo: say in every frame that a fake took part.
    """
    lanes = [(face.face.index, face.timeline) for face in faces if face.timeline is not None]
    if not lanes:
        return ""
    stills = [
        (second, clock(second), _jpeg(marked_frame(frame, second, lanes, side=_STILL, demo=demo)))
        for second, frame in zip(media.seconds, media.frames, strict=True)
    ]
    return render("timeline", "player", stills, source, note)


def timeline_panel(faces: Sequence[FaceAnalysis], *, active: int = -1) -> str:
    """The lanes of all people; empty for a picture, or a clip of one frame."""
    timed = [(face, face.timeline) for face in faces if face.timeline is not None]
    if not timed:
        return ""
    begin, end = timed[0][1].begin, timed[0][1].end
    lanes = [_lane(face, timeline, begin, end, active) for face, timeline in timed]
    shown = next((line for face, line in timed if face.face.index == active), timed[0][1])
    return render("timeline", "panel", lanes, _ticks(begin, end), begin, end, shown.peak.seconds)


def timeline_page(file: str, analysis: Analysis, data: bytes, *, demo: bool = False) -> str:
    """A whole HTML page of its own: styles, pictures and clip lie within it, nothing is loaded.

    Args:
        file: its name.
        analysis: of the clip, with its frames.
        data: the file; where it is too large for a page, the page asks for it.
        demo: say that a fake took part.
    """
    kind = _PLAYED.get(sniff(data))
    small = len(data) <= _MOST_EMBEDDED
    source = data_uri(data, kind) if kind and small else ""
    note = "" if small else "The clip is too large to lie in this page. Choose it to play it:"
    player = player_panel(analysis.media, analysis.faces, source=source, note=note, demo=demo)
    return render(
        "timeline",
        "page",
        file,
        player,
        timeline_panel(analysis.faces),
        analysis.warnings,
        dict(analysis.versions),
        demo,
        STYLE.read_text(encoding="utf-8"),
        SCRIPT.read_text(encoding="utf-8"),
    )


def _words(moment: Moment) -> str:
    """A moment's own verdict; no number of what was not judged stands alone."""
    return moment.verdict.words if moment.judged else "not judged"


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
    rows = [(m.seconds, clock(m.seconds), percent(m.probability), _words(m)) for m in moments]
    return {
        "name": f"Person {face.face.index + 1}",
        "active": face.face.index == active,
        "verdict": score.verdict.value,
        "words": score.verdict.words,
        "probability": score.probability,
        "interval": score.interval,
        "moments": json.dumps([(second, f"{share}, {words}") for second, _, share, words in rows]),
        "absent": json.dumps(_gaps(timeline)),
        "rows": rows,
        "cells": [*cells, *gone],
        "lines": [" ".join(run) for run in runs],
        "stretches": [
            (
                place(s.begin, s.end, s.verdict.value, ""),
                f"{clock(s.begin)} to {clock(s.end)}: {percent(s.probability)}, "
                f"{s.verdict.words}, highest at {clock(s.peak)}",
                s.peak,
            )
            for s in timeline.stretches
        ],
        "worst": [_worst(frame) for frame in timeline.worst],
    }


def _gaps(timeline: Timeline) -> list[tuple[float, float]]:
    return [(max(a, timeline.begin), min(b, timeline.end)) for a, b in timeline.absent]


def _worst(frame: WorstFrame) -> dict[str, object]:
    def thumb(picture: Image) -> str:
        small = cv2.resize(picture, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA)
        return _jpeg(small)

    return {
        "second": frame.seconds,
        "at": clock(frame.seconds),
        "probability": percent(frame.probability),
        "crop": thumb(frame.crop),
        "map": thumb(blend(frame.crop, frame.attribution.map, 0.8)),
        "pairs": [
            (
                pair.fact.text,
                [(n, thumb(p)) for n, p in zip(pair.names, pair.pictures, strict=True)],
            )
            for pair in cue_pairs(cue_facts(frame.cues), frame.cues)[:1]
        ],
    }


def _jpeg(picture: Image) -> str:
    coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])[1]
    return data_uri(coded.tobytes(), "image/jpeg")


def _ticks(begin: float, end: float) -> list[tuple[float, str]]:
    step = (end - begin) / _TICKS
    fine = step < 2
    return [
        (round(100 * i / _TICKS, 2), clock(begin + i * step, fine=fine)) for i in range(_TICKS + 1)
    ]
