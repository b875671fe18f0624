"""The two tools of the MCP server: measure a photo, ask about it.

Gradio answers all MCP callers through one client of its own, so its session would mix their cases.
Each photo therefore opens a case with a random name; who has the name can ask about it. The photo
comes as text: nothing is written to disk, and no address is ever fetched.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from gradio.events import api

from assistant.errors import MediaError
from assistant.media.files import from_base64
from assistant.report import failure_json
from assistant.ui.endpoints import analysed, answered
from assistant.ui.page import Page
from assistant.ui.sessions import Sessions

__all__ = ["add_tools"]


def add_tools(page: Page, sessions: Sessions) -> None:
    """Add the tools to the app that is being built; the page's own endpoints must be hidden."""
    analyze_photo, ask_about_photo = _tools(page, sessions)
    api(analyze_photo, concurrency_id="measure", concurrency_limit=1)
    api(ask_about_photo, concurrency_id="write", concurrency_limit=1)


def _tools(page: Page, sessions: Sessions) -> tuple[Callable[..., str], Callable[..., str]]:
    limit = page.assistant.limits.media.max_image_bytes

    def analyze_photo(photo: str, explain: bool = True) -> str:
        """Say how likely the faces in a photo are manipulated, and why.

        An estimate, not proof. No face means no score. Returns a whyfake.analysis/1 object and
        the name of the case, which ask_about_photo needs.

        Args:
            photo: the file as a data URI (data:image/jpeg;base64,...) or as plain base64
            explain: also write the checked explanation; without it the answer comes sooner
        """
        case = secrets.token_urlsafe(18)
        try:
            data = _decoded(photo, limit)
        except MediaError as error:
            return _text(failure_json("photo", error))
        told = analysed(page, sessions.of(f"case-{case}"), data, explain=explain)
        return _text({**told, "case": case})

    def ask_about_photo(case: str, question: str, face: int = 1) -> str:
        """Ask about a photo that analyze_photo has measured. The score is never made anew.

        Args:
            case: what analyze_photo returned under case; forgotten after half an hour
            question: a question about the result, for example why it was judged so
            face: which face, counted from 1
        """
        return _text(answered(page, sessions.of(f"case-{case}"), question, face=int(face)))

    return analyze_photo, ask_about_photo


def _text(told: dict[str, Any]) -> str:
    """JSON: Gradio would hand a mapping over in Python's own notation."""
    return json.dumps(told, ensure_ascii=False)


def _decoded(photo: str, limit: int) -> bytes:
    """The bytes of a data URI or of plain base64.

    Raises:
        MediaError: it is neither, or more than ``limit`` bytes.
    """
    if len(photo) > limit * 4 // 3 + 1024:  # what stands before the bytes, and blanks, are short
        raise MediaError(
            f"The photo has more than {limit / 1e6:.0f} MB.",
            hint="Send a smaller one.",
            code="file-too-large",
        )
    return from_base64(photo)
