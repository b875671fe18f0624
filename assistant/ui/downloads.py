"""What a visitor may take along, carried inside the page: card, map, numbers, marked clip."""

from __future__ import annotations

import json
from dataclasses import replace

from assistant.cards import render_card
from assistant.overlay import blend, png_bytes
from assistant.report import analysis_json, timeline_csv
from assistant.types import Analysis, FaceAnalysis
from assistant.ui.markup import data_uri, render
from assistant.ui.sessions import Session

__all__ = ["current", "downloads", "export_panel"]

_LONGEST = 60.0  # seconds of a marked clip that is carried inside the page


def current(session: Session) -> Analysis | None:
    """The analysis with the open face's explanation; None before it is complete."""
    if session.analysis is None:
        return None
    return replace(
        session.analysis, faces=tuple(session.faces), explanation=session.talk.explanation
    )


def downloads(session: Session, *, demo: bool = False) -> str:
    """Links that save the card, the map and the numbers; empty before the analysis is complete."""
    analysis = current(session)
    face = session.face
    if face is None or analysis is None:
        return ""
    number = f"-face-{session.active + 1}" if len(session.faces) > 1 else ""
    card = render_card(analysis, session.active, demo=demo)
    told = analysis_json("upload", analysis, session.talk.turns)
    numbers = json.dumps(told, indent=2, allow_nan=False).encode()
    links = [
        ("Picture card (PNG)", f"whyfake-card{number}.png", data_uri(card)),
        ("Map (PNG)", f"whyfake-map{number}.png", data_uri(_map(face))),
        (
            "All numbers (JSON)",
            f"whyfake{number}.json",
            data_uri(numbers, "application/json"),
        ),
    ]
    if any(each.timeline for each in analysis.faces):
        table = timeline_csv(analysis).encode()
        links.append(("Numbers over time (CSV)", "whyfake.csv", data_uri(table, "text/csv")))
    return render("parts", "downloads", links)


def export_panel(session: Session, made: bytes = b"") -> str:
    """Of a clip: a button that has it marked, or, once it is ``made``, the link that saves it."""
    lanes = [face.timeline for face in session.faces if face.timeline is not None]
    if not lanes:
        return ""
    if made:
        link = ("Marked-up clip (MP4)", "whyfake-clip.mp4", data_uri(made, "video/mp4"))
        return render("parts", "downloads", [link])
    short = session.kept is not None and lanes[0].end - lanes[0].begin <= _LONGEST
    return render("parts", "make_clip", short)


def _map(face: FaceAnalysis) -> bytes:
    return png_bytes(blend(face.face.crop, face.attribution.map, 0.7))
