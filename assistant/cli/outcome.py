"""One file through the assistant, shown as text or JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import click

from assistant.cli.inputs import tell_failure
from assistant.cli.render import Progressor, explanation_text, face_text, no_face_text
from assistant.errors import AssistantError, InferenceError
from assistant.events import Done, Explained, FaceFound, Failed, NoFace, Progress
from assistant.pipeline import Assistant
from assistant.report import analysis_json, no_face_json
from assistant.types import Analysis

__all__ = ["Outcome", "Shown", "run_file"]

_log = logging.getLogger(__name__)


class Outcome(Enum):
    """How a file ended, in the words of the last line."""

    ANALYSED = "analysed"
    NO_CARD = "analysed, but without its card"
    NO_FACE = "without a face"
    FAILED = "failed"


class Shown:
    """Prints one file's outcome and keeps it."""

    def __init__(self, file: str, *, as_json: bool) -> None:
        self.file = file
        self.as_json = as_json
        self.outcome = Outcome.ANALYSED
        self.progress = Progressor(quiet=as_json)

    def analysis(self, analysis: Analysis, save: Callable[[Analysis], Path] | None = None) -> None:
        """Show a finished analysis, also where ``save``, which writes its card, fails."""
        card, problem = None, None
        if save is not None:
            try:
                card = save(analysis)
            except AssistantError as error:
                problem = error
        if self.as_json:
            out: dict[str, Any] = analysis_json(self.file, analysis)
            if card is not None:
                out["card"] = str(card)
            click.echo(json.dumps(out, ensure_ascii=False))
        else:
            self._text(analysis)
            if card is not None:
                click.echo(f"\n  Picture card: {card}")
        if problem is not None:
            self.outcome = Outcome.NO_CARD
            click.echo(f"{self.file}: {problem.user_message} {problem.hint}".rstrip(), err=True)

    def _text(self, analysis: Analysis) -> None:
        click.echo(self.file)
        for result in analysis.faces:
            click.echo(face_text(result, count=len(analysis.faces)) + "\n")
        for warning in analysis.warnings:
            click.echo(f"  Note: {warning}")
        if analysis.explanation is not None:
            click.echo(explanation_text(analysis.explanation))

    def no_face(self, event: NoFace) -> None:
        """Show that there is no score."""
        self.outcome = Outcome.NO_FACE
        if self.as_json:
            click.echo(json.dumps(no_face_json(self.file, event), ensure_ascii=False))
        else:
            click.echo(f"{self.file}\n{no_face_text(event)}")

    def failed(self, error: AssistantError) -> None:
        """Show why a file has no analysis."""
        self.outcome = Outcome.FAILED
        tell_failure(self.file, error, as_json=self.as_json)


def run_file(
    assistant: Assistant, data: Callable[[], bytes], shown: Shown, *, explain: bool, blind: bool
) -> Analysis | None:
    """Analyse one file, showing what is not an analysis; None where there is none.

    A fault of ours ends this file, not those after it: it is logged and told as an error.
    """
    try:
        return _run(assistant, data(), shown, explain=explain, blind=blind)
    except AssistantError as error:
        shown.failed(error)
    except Exception as error:  # noqa: BLE001 - logged and told; the other files go on
        _log.exception("analysing a file failed")
        shown.failed(
            InferenceError(
                f"The analysis of this file broke off ({type(error).__name__}).",
                hint="Please report it, with what is said above and how the file was made.",
                code="broke-off",
            )
        )
    return None


def _run(
    assistant: Assistant, data: bytes, shown: Shown, *, explain: bool, blind: bool
) -> Analysis | None:
    for event in assistant.analyze(data, explain=explain, blind=blind):
        if isinstance(event, Progress | FaceFound):
            shown.progress.show(event)
        elif isinstance(event, Explained):
            shown.progress.clear()
        elif isinstance(event, NoFace):
            shown.progress.clear()
            shown.no_face(event)
        elif isinstance(event, Failed):
            shown.progress.clear()
            shown.failed(event.error)
        elif isinstance(event, Done):
            shown.progress.clear()
            return event.analysis
    return None
