"""``whyfake analyze`` and ``whyfake ask``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.render import Progressor, explanation_text, face_text, no_face_text
from assistant.errors import AssistantError, ConfigError
from assistant.events import (
    Analyzed,
    Done,
    Explained,
    FaceFound,
    Failed,
    NoFace,
    Progress,
    TurnDone,
)
from assistant.report import analysis_json, failure_json, no_face_json
from assistant.types import Analysis, FaceAnalysis, Turn

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = ["analyze", "ask"]

_ANALYSED, _FAILED, _NO_FACE = 0, 1, 3
_BLIND = (
    "First have the model describe the face without the score; what does not fit the measurements "
    "is told."
)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")
@click.option(
    "--card",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the picture card here (several files: a number is added).",
)
@click.option("--no-explain", is_flag=True, help="Leave out the written explanation.")
@click.option("--blind", is_flag=True, help=_BLIND)
@click.option("--vlm", default=None, help="Text backend, for example template or llama-cpp.")
@click.option(
    "--example", is_flag=True, hidden=True, help="Treat PATHS as names of shipped examples."
)
@click.pass_context
def analyze(
    context: click.Context,
    paths: tuple[Path, ...],
    as_json: bool,
    card: Path | None,
    no_explain: bool,
    blind: bool,
    vlm: str | None,
    example: bool,
) -> None:
    """Analyse photos or videos: probability, regions, evidence and a checked explanation.

    Exit code 0: analysed, 1: failed, 2: usage, 3: no face.
    """
    if card is not None:
        _check_writable(card)
    settings = _settings(context, vlm)
    code = _ANALYSED
    with _assistant(settings) as assistant:
        for number, path in enumerate(paths):
            shown = _Shown(path.name if example else str(path), as_json)
            analysis = _run(
                assistant,
                settings,
                path,
                shown,
                explain=not no_explain,
                blind=blind,
                example=example,
            )
            if analysis is not None:
                extra: dict[str, Any] = {}
                if card is not None:
                    target = _numbered(card, number, len(paths))
                    extra["card"] = str(_save_card(analysis, target))
                shown.analysis(analysis, extra)
            code = max(code, shown.code) if code != _FAILED else code
    context.exit(code)


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.argument("questions", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the analysis with its turns as JSON.")
@click.option("--face", type=click.IntRange(1), default=1, help="Which face to ask about, from 1.")
@click.option("--blind", is_flag=True, help=_BLIND)
@click.option("--vlm", default=None, help="Text backend, for example template or llama-cpp.")
@click.pass_context
def ask(
    context: click.Context,
    photo: Path,
    questions: tuple[str, ...],
    as_json: bool,
    face: int,
    blind: bool,
    vlm: str | None,
) -> None:
    """Analyse PHOTO once, then answer each QUESTION in turn from its evidence."""
    settings = _settings(context, vlm)
    with _assistant(settings) as assistant:
        shown = _Shown(str(photo), as_json)
        analysis = _run(assistant, settings, photo, shown, explain=True, blind=blind)
        if analysis is None:
            context.exit(shown.code)
        if face > len(analysis.faces):
            raise click.UsageError(f"--face {face}: the picture has {len(analysis.faces)} face(s).")
        if not as_json:
            shown.analysis(analysis, {})
        turns, code = _turns(assistant, analysis.faces[face - 1], questions, as_json)
        if as_json:
            click.echo(json.dumps(analysis_json(str(photo), analysis, turns), ensure_ascii=False))
        context.exit(code)


def _turns(
    assistant: Assistant, result: FaceAnalysis, questions: tuple[str, ...], as_json: bool
) -> tuple[list[Turn], int]:
    turns: list[Turn] = []
    code = _ANALYSED
    for question in questions:
        for event in assistant.ask(result, question, history=turns):
            if isinstance(event, Analyzed):
                result = event.result
            elif isinstance(event, TurnDone):
                turns.append(event.turn)
                if not as_json:
                    click.echo(f"\n  > {question}")
                    click.echo(explanation_text(event.turn.explanation, title="Answer"))
            elif isinstance(event, Failed):
                click.echo(f"{event.error.user_message} {event.error.hint}", err=True)
                code = _FAILED
    return turns, code


class _Shown:
    """Prints one file's outcome, as text or JSON, and keeps its exit code."""

    def __init__(self, file: str, as_json: bool) -> None:
        self.file = file
        self.as_json = as_json
        self.code = _ANALYSED
        self.progress = Progressor(quiet=as_json)

    def analysis(self, analysis: Analysis, extra: dict[str, Any]) -> None:
        if self.as_json:
            out = {**analysis_json(self.file, analysis), **extra}
            click.echo(json.dumps(out, ensure_ascii=False))
            return
        click.echo(self.file)
        for result in analysis.faces:
            click.echo(face_text(result, count=len(analysis.faces)) + "\n")
        for warning in analysis.warnings:
            click.echo(f"  Note: {warning}")
        if analysis.explanation is not None:
            click.echo(explanation_text(analysis.explanation))
        if "card" in extra:
            click.echo(f"\n  Picture card: {extra['card']}")

    def no_face(self, event: NoFace) -> None:
        self.code = _NO_FACE
        if self.as_json:
            click.echo(json.dumps(no_face_json(self.file, event), ensure_ascii=False))
        else:
            click.echo(f"{self.file}\n{no_face_text(event)}")

    def failed(self, error: AssistantError) -> None:
        self.code = _FAILED
        if self.as_json:
            click.echo(json.dumps(failure_json(self.file, error), ensure_ascii=False))
        else:
            click.echo(f"{self.file}: {error.user_message} {error.hint}".rstrip(), err=True)


def _run(
    assistant: Assistant,
    settings: Settings,
    path: Path,
    shown: _Shown,
    *,
    explain: bool,
    blind: bool = False,
    example: bool = False,
) -> Analysis | None:
    """Analyse one file, showing what is not an analysis; None where there is none."""
    from assistant.media import read_path

    try:
        data = _example_bytes(path.name) if example else read_path(path, assistant.limits.media)
    except AssistantError as error:
        shown.failed(error)
        return None
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


def _settings(context: click.Context, vlm: str | None) -> Settings:
    from assistant.cli.options import settings_of

    return settings_of(context, vlm_backend=vlm)


class _assistant:
    """Builds the assistant and stops its processes at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Assistant:
        from assistant.compose import build

        self._built = build(self._settings)
        return self._built

    def __exit__(self, *_: object) -> None:
        self._built.close()


def _example_bytes(name: str) -> bytes:
    from assistant.examples import example_bytes

    return example_bytes(name)


def _check_writable(card: Path) -> None:
    if card.suffix.lower() != ".png":
        raise click.UsageError(f"--card {card}: the card is a PNG, name it something.png.")
    if not card.parent.exists():
        raise click.UsageError(f"--card {card}: the folder {card.parent} does not exist.")


def _numbered(card: Path, number: int, count: int) -> Path:
    return card if count == 1 else card.with_name(f"{card.stem}-{number + 1}{card.suffix}")


def _save_card(analysis: Analysis, target: Path) -> Path:
    """Write the card whole or not at all."""
    from assistant.cards import render_card

    png = render_card(analysis)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(png)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(
            f"The card could not be written to {target}: {error.strerror}.",
            hint="Name another place with --card.",
        ) from error
    return target.resolve()
