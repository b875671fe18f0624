"""What a visitor may take along, carried inside the page: picture card, map and numbers."""

from __future__ import annotations

import json
from dataclasses import replace

from assistant.cards import render_card
from assistant.overlay import blend, png_bytes
from assistant.report import analysis_json
from assistant.types import Analysis, FaceAnalysis
from assistant.ui.markup import data_uri, render
from assistant.ui.sessions import Session

__all__ = ["current", "downloads"]


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
    links = (
        ("Picture card (PNG)", f"whyfake-card{number}.png", data_uri(card)),
        ("Map (PNG)", f"whyfake-map{number}.png", data_uri(_map(face))),
        (
            "All numbers (JSON)",
            f"whyfake{number}.json",
            data_uri(numbers, "application/json"),
        ),
    )
    return render("parts", "downloads", links)


def _map(face: FaceAnalysis) -> bytes:
    return png_bytes(blend(face.face.crop, face.attribution.map, 0.7))
