"""``whyfake eval questions``."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import click

__all__ = ["questions"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("questions")
@click.argument("photos", nargs=-1, type=_FILE)
@click.option("--config", type=_FILE, default=Path("configs/questions.yaml"), show_default=True)
@click.option("--vlm", default=None, help="Text backend, for example template or llama-cpp.")
@click.option("--answers", is_flag=True, help="Print every answer, not only those that do not fit.")
@click.option("--out", type=_FILE, help="Write questions, answers and problems here, as JSON.")
@click.pass_context
def questions(
    context: click.Context,
    photos: tuple[Path, ...],
    config: Path,
    vlm: str | None,
    answers: bool,
    out: Path | None,
) -> None:
    """Ask the questions of a list about PHOTOS (default: a portrait that scikit-image ships).

    An answer fits where it rests on a fact that its question asks for, keeps to the manner asked
    for (one sentence, simple words), and is refused just where it must be.
    """
    from assistant.cli.options import settings_of
    from assistant.compose import build
    from assistant.evaluation.explanation_cases import analysed
    from assistant.evaluation.questions import ask_all, read_questions
    from assistant.examples import example_bytes

    asked = read_questions(config)
    files = [(path.name, path.read_bytes()) for path in photos]
    files = files or [("astronaut", example_bytes("astronaut"))]
    with contextlib.closing(build(settings_of(context, vlm_backend=vlm))) as assistant:
        pictures = analysed(assistant, files)
        found = ask_all(assistant, pictures, asked)
    for one in found:
        if answers or one.problem:
            mark = f"x {one.problem}" if one.problem else "fits"
            click.echo(f"{one.picture}: {one.question}\n  {one.answer}\n  {mark}")
    fit = sum(not one.problem for one in found)
    click.echo(
        f"{fit} of {len(found)} answers fit ({len(asked)} questions, {len(pictures)} pictures)"
    )
    if out is not None:
        rows = [one.model_dump() for one in found]
        out.write_text(json.dumps({"fit": fit, "of": len(found), "answers": rows}, indent=1) + "\n")
