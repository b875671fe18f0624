"""``whyfake eval router``, ``questions`` and ``grounding``."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from assistant.cli.declare import argument, command, option
from assistant.cli.options import json_option, out_option, settings_of, write_result

__all__ = ["grounding", "questions", "router"]


@command("router")
def router(
    recipe: Path = option(default=Path("configs/router.yaml"), name="--config"),
    as_json: bool = json_option("Print the result as JSON."),
    out: Path | None = out_option("Write the JSON here."),
    wrong: bool = option("List the held-out wordings that go astray."),
) -> None:
    """Measure the router of questions that is in use on the held-out wordings."""
    from assistant.evaluation.router import evaluate_router
    from assistant.routing import Router
    from assistant.training.router import RouterConfig, read_wordings
    from assistant.weights.store import locate

    held_out = [w for w in read_wordings(RouterConfig.read(recipe)) if w.held_out]
    used = Router.load(locate("router"))

    def told(found: dict[str, Any]) -> str:
        lines = [
            f"macro F1 {found['macro_f1']:.3f} over {len(found['f1'])} kinds "
            f"({found['macro_f1_topics']:.3f} over topics), {found['wordings']} held-out wordings; "
            f"wrongly refused {found['refused_wrongly']:.1%}; "
            f"{found['milliseconds']:.1f} ms a question"
        ]
        for name, row in found["by_list"].items():
            lines.append(f"  {name}: {row['macro_f1']:.3f} ({row['wordings']} wordings)")
        lines.append("  " + ", ".join(f"{name} {value:.2f}" for name, value in found["f1"].items()))
        for wording in held_out if wrong else ():
            route = used(wording.text)
            if route.kind.value != wording.kind.value:
                asked = f"{wording.text!r}: {wording.label} -> {route.kind}"
                lines.append(f"  {route.confidence:.2f} {asked}")
        return "\n".join(lines)

    write_result(evaluate_router(used, held_out), out, as_json=as_json, told=told)


@command("questions")
def questions(
    context: click.Context,
    photos: tuple[Path, ...] = argument(),
    config: Path = option(default=Path("configs/questions.yaml")),
    vlm: str | None = option("Text backend, for example template or llama-cpp."),
    answers: bool = option("Print every answer, not only those that do not fit."),
    out: Path | None = out_option("Write questions, answers and problems here, as JSON."),
) -> None:
    """Ask the questions of a list about PHOTOS (default: a portrait that scikit-image ships).

    An answer fits where it rests on a fact that its question asks for, keeps to the manner asked
    for (one sentence, simple words), and is refused just where it must be.
    """
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
    lines = []
    for one in found:
        if answers or one.problem:
            mark = f"x {one.problem}" if one.problem else "fits"
            lines.append(f"{one.picture}: {one.question}\n  {one.answer}\n  {mark}")
    fit = sum(not one.problem for one in found)
    lines.append(
        f"{fit} of {len(found)} answers fit ({len(asked)} questions, {len(pictures)} pictures)"
    )
    result = {"fit": fit, "of": len(found), "answers": [one.model_dump() for one in found]}
    write_result(result, out, as_json=False, told=lambda _: "\n".join(lines))


@command("grounding")
def grounding(
    as_json: bool = json_option("Print the result as JSON."),
    out: Path | None = out_option("Every sentence, as JSON."),
) -> None:
    """Check 120 true and false sentences, and count what was let through and what was lost."""
    from assistant.evaluation.grounding import judged, summary

    found = judged()
    result = summary(found)
    if out is not None:
        rows = [asdict(sentence) for sentence in found]
        out.write_text(json.dumps({**result, "table": rows}, indent=1) + "\n", "utf-8")

    def told(_: object) -> str:
        lines = [f"{result['sentences']} sentences on three cases, half of them true"]
        for name, counts in result["counts"].items():
            each = ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in counts.items())
            lines.append(f"  {name:<13} {each}")
        share = result["true_contradicted_share"]
        lines += [
            f"false, let through as supported: {result['false_supported']} (must be 0)",
            f"true, called contradicted: {result['true_contradicted']} ({share:.1%}; at most 2%)",
        ]
        return "\n".join(lines)

    write_result(result, None, as_json=as_json, told=told)
