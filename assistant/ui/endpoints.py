"""The page's steps as named, typed API endpoints for ``gradio_client``."""

from __future__ import annotations

from typing import Any

import gradio as gr

from assistant.errors import AssistantError, Cancelled, InferenceError
from assistant.events import Analyzed, Done, Failed, NoFace, TurnDone
from assistant.report import analysis_json, failure_json, no_face_json, turn_json
from assistant.ui.pacing import safely
from assistant.ui.page import Page
from assistant.ui.sessions import Session, Sessions
from assistant.ui.speaking import asked, keep_file
from assistant.ui.uploads import upload_field

__all__ = ["add_endpoints", "analysed", "answered"]

_NAME = "upload"


def add_endpoints(page: Page, sessions: Sessions, *, listed: bool = True) -> None:
    """Add ``/analyze`` and ``/ask`` to the app that is being built. Both answer for one session.

    ``listed``: False leaves them out of the app's description; they can be called all the same.
    """
    visibility: Any = "public" if listed else "undocumented"

    def analyze(photo: bytes, explain: bool, request: gr.Request) -> dict[str, Any]:
        return analysed(page, sessions.of(str(request.session_hash)), photo, explain=explain)

    def ask(question: str, face: float, request: gr.Request) -> dict[str, Any]:
        return answered(page, sessions.of(str(request.session_hash)), question, face=int(face))

    with gr.Column(visible=False):
        photo = upload_field(label="photo")
        explain = gr.Checkbox(True, label="explain")
        question = gr.Textbox(label="question")
        face = gr.Number(1, precision=0, minimum=1, label="face")
        out = gr.JSON(label="result")
        gr.Button("analyze").click(
            analyze,
            [photo, explain],
            out,
            api_name="analyze",
            api_description=(
                "Analyse a photo or video. Returns a whyfake.analysis/1 object; its status is "
                "analysed, no_face or failed."
            ),
            api_visibility=visibility,
            concurrency_id="measure",
            concurrency_limit=1,
        )
        gr.Button("ask").click(
            ask,
            [question, face],
            out,
            api_name="ask",
            api_description=(
                "Ask about the file that this client analysed last; face counts from 1. Returns "
                "the question, the checked text and its sentences, or an error."
            ),
            api_visibility=visibility,
            concurrency_id="write",
            concurrency_limit=1,
        )


def analysed(page: Page, session: Session, data: bytes | None, *, explain: bool) -> dict[str, Any]:
    """A file measured for a session, as ``whyfake.analysis/1``; failures are typed results too."""
    session.empty()
    keep_file(page.assistant, session, data or b"")
    events = page.assistant.analyze(data or b"", explain=explain, cancel=session.cancel)
    for event in safely(events):
        match event:
            case NoFace():
                return no_face_json(_NAME, event)
            case Failed():
                return failure_json(_NAME, event.error)
            case Done():
                session.keep(event.analysis)
                return analysis_json(_NAME, event.analysis)
            case _:
                pass
    return failure_json(_NAME, Cancelled("The analysis was stopped.", hint="Send the file again."))


def answered(page: Page, session: Session, question: str, *, face: int) -> dict[str, Any]:
    """A question about a session's face (counted from 1), answered, or a typed error."""
    if not 1 <= face <= len(session.faces):
        return _error(
            question,
            InferenceError(
                f"There is no face {face}; this client's last analysis has {len(session.faces)}.",
                hint="Call /analyze first, with the same client.",
                code="no-such-face",
            ),
        )
    session.active = face - 1
    talk = session.talk
    events = asked(page.assistant, session, session.faces[face - 1], question)
    for event in safely(events):
        match event:
            case Analyzed():
                session.faces[face - 1] = event.result
            case TurnDone():
                talk.turns.append(event.turn)
                return turn_json(event.turn)
            case Failed():
                return _error(question, event.error)
            case _:
                pass
    return _error(question, Cancelled("The answer was stopped.", hint="Ask again."))


def _error(question: str, error: AssistantError) -> dict[str, Any]:
    return {
        "question": question[:2000],
        "error": {"code": error.code, "message": error.user_message, "hint": error.hint},
    }
