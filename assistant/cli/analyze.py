"""``whyfake analyze`` and ``whyfake ask``. Imports nothing heavy: paths are checked first."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.declare import PATH, argument, command, option
from assistant.cli.inputs import Input, Refused, list_inputs, tell_failure
from assistant.cli.inputs import example as example_input
from assistant.cli.options import DETECTOR, DETECTOR_FILE
from assistant.cli.saved_files import CardFile, ClipFiles

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.types import FaceAnalysis, Turn

__all__ = ["analyze", "ask"]

_ANALYSED, _FAILED, _NO_FACE = 0, 1, 3
_BLIND = (
    "First have the model describe the face without the score; what does not fit the measurements "
    "is told."
)


@command()
def analyze(
    context: click.Context,
    paths: tuple[str, ...] = argument(required=True),
    as_json: bool = option("Print one JSON object a file, each a line.", name="--json"),
    card: Path | None = option(
        "Save the picture card here (several files: a number is added).", type=PATH
    ),
    fast: bool = option(
        "Score, interval, verdict and domain check alone: no map, no checks, no words."
    ),
    evidence: bool = option("Print all facts and the written explanation."),
    no_explain: bool = option("Leave out the written explanation."),
    timeline: Path | None = option(
        "Save a clip's people over time here, as an HTML page of its own with a player.", type=PATH
    ),
    table: Path | None = option(
        "Save a clip's numbers here: a line for each person and frame.", name="--csv", type=PATH
    ),
    export_clip: Path | None = option(
        "Save the clip here as MP4 with each person's box, name and verdict drawn in.", type=PATH
    ),
    person: int | None = option("Tell of this face or person alone, from 1.", least=1),
    begin: float | None = option("Look at a clip from this second.", name="--from", least=0),
    end: float | None = option("Look at a clip up to this second.", name="--to", least=0),
    blind: bool = option(_BLIND),
    vlm: str | None = option("Text backend, for example template or llama-cpp."),
    detector: str | None = DETECTOR,
    weights: Path | None = DETECTOR_FILE,
    example: bool = option("Treat PATHS as names of shipped examples.", hidden=True),
) -> None:
    """Analyse photos or videos: the verdict, what it rests on, how sure, what to do.

    --evidence prints what lies behind it, --json all of it for a program.

    PATHS are files, folders, patterns ('photos/**/*.jpg') or - for standard input. What cannot be
    read is told first, before any model is loaded; the others are analysed all the same.

    Exit code 0: all analysed, 1: one or more failed, 2: usage, 3: no face in one or more.
    """
    if fast and (blind or evidence or card is not None):
        raise click.UsageError(
            "--fast makes no map and no words, so no --card, --evidence or --blind."
        )
    lanes = ClipFiles(timeline, table, export_clip)
    if fast and (lanes or person is not None or begin or end):
        raise click.UsageError(
            "--fast scores whole files: no --timeline, --csv, --export-clip, --person, --from or "
            "--to."
        )
    span = (begin or 0.0, end)
    if end is not None and end <= span[0]:
        raise click.UsageError(f"--to {end:g} must be later than --from {span[0]:g}.")
    asked = evidence or as_json or blind or vlm is not None
    words = asked and not (no_explain or fast)
    card_file = None if card is None else CardFile(card)
    inputs: list[Input] = []
    ended: Counter[str] = Counter()
    for found in map(example_input, paths) if example else list_inputs(paths):
        if isinstance(found, Refused):
            tell_failure(found.name, found.error, as_json=as_json)
            ended["failed"] += 1
        else:
            inputs.append(found)
    if inputs:
        chosen: dict[str, Any] = {"vlm_backend": "template" if fast else vlm}
        chosen |= {"detector": detector, "detector_weights": weights}
        with _assistant(context, words=words, **chosen) as assistant:
            from tqdm import tqdm

            from assistant.cli.outcome import Outcome, Shown, run_file, score_file

            few = len(inputs) <= 3
            for number, one in enumerate(tqdm(inputs, unit="file", disable=few)):
                shown = Shown(one.name, as_json=as_json, evidence=evidence, person=person)
                data = cache(partial(one.read, assistant.limits.media))
                if fast:
                    score_file(assistant, data, shown)
                elif analysis := run_file(
                    assistant,
                    data,
                    shown,
                    explain=words,
                    blind=blind,
                    span=span,
                    person=person or 1,
                ):
                    if not lanes.save(analysis, data, assistant, one.name, number, len(inputs)):
                        shown.outcome = Outcome.NO_FILE
                    save = None
                    if card_file is not None:
                        save = partial(card_file.save, number=number, count=len(inputs))
                    shown.analysis(analysis, save)
                ended[shown.outcome.value] += 1
    if ended.total() > 1:
        told = ", ".join(f"{count:,} {how}" for how, count in sorted(ended.items()))
        click.echo(f"{ended.total():,} files: {told}.", err=True)
    good = ended["analysed"] + ended["without a face"] == ended.total()
    context.exit(_FAILED if not good else _NO_FACE if ended["without a face"] else _ANALYSED)


@command()
def ask(
    context: click.Context,
    photo: str = argument(),
    questions: tuple[str, ...] = argument(required=True),
    as_json: bool = option("Print the analysis with its turns as JSON.", name="--json"),
    face: int = option("Which face to ask about, from 1.", 1, least=1),
    blind: bool = option(_BLIND),
    vlm: str | None = option("Text backend, for example template or llama-cpp."),
    detector: str | None = DETECTOR,
    weights: Path | None = DETECTOR_FILE,
) -> None:
    """Analyse PHOTO (a photo or clip, - for standard input), then answer each QUESTION in turn."""
    found = [*list_inputs([photo])]
    if len(found) > 1:
        raise click.UsageError(f"{photo} stands for {len(found)} files; ask about one.")
    (one,) = found
    if isinstance(one, Refused):
        tell_failure(one.name, one.error, as_json=as_json)
        context.exit(_FAILED)
    chosen = {"vlm_backend": vlm, "detector": detector, "detector_weights": weights}
    with _assistant(context, words=True, **chosen) as assistant:
        from assistant.cli.outcome import Outcome, Shown, run_file
        from assistant.report import analysis_json

        shown = Shown(one.name, as_json=as_json)
        data = cache(partial(one.read, assistant.limits.media))
        analysis = run_file(assistant, data, shown, explain=as_json or blind, blind=blind)
        if analysis is None:
            context.exit(_NO_FACE if shown.outcome is Outcome.NO_FACE else _FAILED)
        if face > len(analysis.faces):
            raise click.UsageError(f"--face {face}: the picture has {len(analysis.faces)} face(s).")
        if not as_json:
            shown.analysis(analysis)
        turns, code = _turns(assistant, analysis.faces[face - 1], questions, as_json, data)
        if as_json:
            click.echo(json.dumps(analysis_json(one.name, analysis, turns), ensure_ascii=False))
        context.exit(code)


def _turns(
    assistant: Assistant,
    result: FaceAnalysis,
    questions: tuple[str, ...],
    as_json: bool,
    picture: Callable[[], bytes],
) -> tuple[list[Turn], int]:
    from assistant.cli.render import explanation_text
    from assistant.events import Analyzed, Failed, TurnDone

    turns: list[Turn] = []
    code = _ANALYSED
    for question in questions:
        for event in assistant.ask(result, question, history=turns, picture=picture):
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


@contextlib.contextmanager
def _assistant(context: click.Context, *, words: bool, **chosen: Any) -> Iterator[Assistant]:
    """The assistant of the settings; its processes are stopped at the end.

    ``words``: whether any are to be written, so that the text model is loaded at once; ``chosen``:
    settings by flags.
    """
    from assistant.cli.options import settings_of

    settings = settings_of(context, **chosen)
    from assistant.compose import build

    with contextlib.closing(build(settings, words_soon=words)) as assistant:
        yield assistant
