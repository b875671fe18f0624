"""One file through the assistant, shown as text or JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import click

from assistant.cli.inputs import tell_failure
from assistant.cli.render import (
    USUAL,
    Progressor,
    answer_text,
    explanation_text,
    face_text,
    no_face_text,
    score_line,
)
from assistant.errors import AssistantError, InferenceError
from assistant.events import Done, Event, Explained, FaceFound, Failed, NoFace, Progress, Scored
from assistant.media import WHOLE, Span
from assistant.pipeline import Assistant
from assistant.report import analysis_json, no_face_json, scores_json
from assistant.types import Analysis, Scores

__all__ = ["Outcome", "Shown", "run_file", "score_file"]

_Result = TypeVar("_Result")

_log = logging.getLogger(__name__)


class Outcome(Enum):
    """How a file ended, in the words of the last line."""

    ANALYSED = "analysed"
    NO_CARD = "analysed, but without its card"
    NO_FILE = "analysed, but not all was saved"
    NO_FACE = "without a face"
    FAILED = "failed"


class Shown:
    """Prints one file's outcome and keeps it; ``evidence``: all facts, below the answer."""

    def __init__(
        self, file: str, *, as_json: bool, evidence: bool = False, person: int | None = None
    ) -> None:
        self.file = file
        self.evidence = evidence
        self.person = person
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

    def scores(self, scores: Scores) -> None:
        """Show scores alone: a line a face."""
        if self.as_json:
            click.echo(json.dumps(scores_json(self.file, scores), ensure_ascii=False))
            return
        for number, each in enumerate(scores.faces, start=1):
            name = f", face {number} of {len(scores.faces)}" if len(scores.faces) > 1 else ""
            click.echo(f"{self.file}{name}: {score_line(each.face, each.score)}")
        for warning in scores.warnings:
            click.echo(f"  Note: {warning}")

    def _text(self, analysis: Analysis) -> None:
        click.echo(self.file)
        shown = [f for f in analysis.faces if self.person in (None, f.face.index + 1)]
        click.echo(answer_text(shown))
        for warning in analysis.warnings:
            click.echo(f"  Note: {warning}")
        if self.evidence:
            for result in shown:
                click.echo("\n" + face_text(result, count=len(analysis.faces)))
        if analysis.explanation is not None:
            spoke = analysis.faces[0].score.detector if analysis.faces else ""
            named = f"Explanation of what {spoke} found"
            title = "Explanation" if spoke in ("", USUAL) else named
            click.echo("\n" + explanation_text(analysis.explanation, title=title))

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
    assistant: Assistant,
    data: Callable[[], bytes],
    shown: Shown,
    *,
    explain: bool,
    blind: bool,
    span: Span = WHOLE,
    person: int = 1,
) -> Analysis | None:
    """Analyse one file, showing what is not an analysis; None where there is none."""

    def analyse() -> Analysis | None:
        events = assistant.analyze(data(), explain=explain, blind=blind, span=span, person=person)
        done = _last(events, shown)
        return done.analysis if isinstance(done, Done) else None

    return _guarded(analyse, shown)


def score_file(assistant: Assistant, data: Callable[[], bytes], shown: Shown) -> None:
    """Score one file and show the scores, or why there are none."""

    def score() -> None:
        scored = _last(assistant.score(data()), shown)
        if isinstance(scored, Scored):
            shown.scores(scored.scores)

    _guarded(score, shown)


def _guarded(job: Callable[[], _Result], shown: Shown) -> _Result | None:
    """A fault of ours ends this file, not those after it: it is logged and told as an error."""
    try:
        return job()
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


def _last(events: Iterator[Event], shown: Shown) -> Event | None:
    """The event that brings the result, showing the others; None where there is no result."""
    for event in events:
        if isinstance(event, Progress | FaceFound):
            shown.progress.show(event)
            continue
        if isinstance(event, Explained | NoFace | Failed | Done | Scored):
            shown.progress.clear()
        if isinstance(event, NoFace):
            shown.no_face(event)
        elif isinstance(event, Failed):
            shown.failed(event.error)
        elif isinstance(event, Done | Scored):
            return event
    return None
