"""``whyfake eval explanations``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import (
    json_option,
    out_option,
    pictures_option,
    settings_of,
    tell_count,
    write_result,
)

if TYPE_CHECKING:
    from assistant.interfaces import VlmBackend
    from assistant.settings import Settings
    from assistant.types import FaceAnalysis

__all__ = ["explanations"]

#: ``seeded`` is no model: the facts to the point in sentences that a seed picks. ``tuned`` is the
#: embedded model as in use (numbers pinned, adapter); ``tuned-free`` the same without the grammar;
#: ``untuned`` the model as it came, numbers pinned; ``configured`` what the settings name.
_NARRATORS = ("template", "seeded", "tuned", "tuned-free", "untuned", "configured")
# Measured on few cases: they are there to be compared with, and write long texts.
_SHORT = frozenset({"tuned-free", "untuned"})
_CONTROLS = ("shuffled", "empty", "picture")
_COLUMNS = (
    ("claim_precision", "claims true, shown"),
    ("claim_precision_raw", "claims true, as written"),
    ("contradictions_shown", "wrong verdicts or numbers shown"),
    ("verdict_fidelity", "verdict told and right"),
    ("coverage", "top evidence told"),
    ("kept_own_text", "kept own text"),
    ("sycophancy", "pressures yielded to"),
    ("injection", "injections obeyed"),
    ("bits", "bits decided"),
    ("own_words", "words of its own"),
    ("new_words", "not copied from facts"),
    ("tells_top", "top cue or cause told"),
    ("distinct_4grams", "distinct 4-grams"),
    ("fkgl", "grade level"),
    ("words", "words"),
    ("seconds", "seconds"),
    ("n", "texts"),
)


@click.command("explanations")
@pictures_option(
    "Pictures: CSV with a path column (and region, where one is known to be changed), or one path "
    "a line. Default: portraits that installed packages ship, changed in many ways."
)
@click.option(
    "--human",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="What people wrote of the manifest's frames (exddv.csv, or DD-VQA's folder; may be given "
    "twice): measure only how often the first two regions told are among those that people named.",
)
@click.option("--limit", type=click.IntRange(1), default=50, help="At most this many pictures.")
@click.option(
    "--few",
    type=click.IntRange(1),
    default=8,
    help="On so many of them questions are asked, and untuned narrators and controls measured.",
)
@click.option(
    "--narrator",
    "names",
    multiple=True,
    type=click.Choice(_NARRATORS),
    help="Measure these only; default: template, tuned, untuned, and the configured one if it is "
    "another.",
)
@click.option(
    "--control",
    "controls",
    multiple=True,
    type=click.Choice((*_CONTROLS, "none")),
    help="Measure these controls only; default: all.",
)
@click.option("--questions", type=click.IntRange(0, 6), default=2, help="Asked on each picture.")
@click.option("--attacks/--no-attacks", default=True, help="Pressures, injections, identity.")
@click.option("--seed", type=int, default=0)
@json_option("Print the result as JSON.")
@out_option("Write the JSON here.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page of cases side by side here. It shows the faces of the manifest.",
)
@click.pass_context
def explanations(
    context: click.Context,
    manifest: Path | None,
    human: tuple[Path, ...],
    limit: int,
    few: int,
    names: tuple[str, ...],
    controls: tuple[str, ...],
    questions: int,
    attacks: bool,
    seed: int,
    as_json: bool,
    out: Path | None,
    page: Path | None,
) -> None:
    """Measure how true, whole, steadfast and readable each narrator's explanations are."""
    from assistant.cli.eval_human import against_people
    from assistant.evaluation.explanation_controls import misled
    from assistant.evaluation.explanation_summary import same_texts, summary
    from assistant.evaluation.explanations import evaluate_narrator, some
    from assistant.evaluation.human_regions import comparison_table
    from assistant.evaluation.pages import reading_page
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir

    settings = settings_of(context)
    if human:
        told = against_people(settings, manifest, human, limit)
        write_result(told, out, as_json=as_json, told=lambda found: comparison_table(found["sets"]))
        return
    wanted = _wanted(names, settings)
    results, changed, source = _results(settings, manifest, limit, seed)
    prompts = PromptLibrary(settings.prompts_dir or resource_dir("prompts"))
    trials = {}
    provenance = {}
    for name in wanted:
        vlm = _backend(name, settings)
        try:
            cases = some(results, few) if name in _SHORT else results
            click.echo(f"{name}: {len(cases)} cases", err=True)
            trials[name] = evaluate_narrator(
                vlm, cases, prompts, questions=questions, asked_on=few,
                attacks=attacks and name not in _SHORT, seed=seed, progress=tell_count,
            )  # fmt: skip
            provenance[name] = dict(vlm.provenance())
            for control in _controls(controls) if name not in _SHORT else ():
                click.echo(f"{name}, {control} evidence", err=True)
                trials[f"{name}+{control}"] = evaluate_narrator(
                    misled(vlm, [r for _, r in results], control=control, seed=seed),
                    some(results, few), prompts, questions=0, attacks=False, seed=seed,
                    progress=tell_count,
                )  # fmt: skip
        finally:
            vlm.close()
    result = {
        "schema": "whyfake.eval-explanations/1",
        "source": source,
        "cases": len(results),
        "few": few,
        "seed": seed,
        "machine": {"cpus": os.cpu_count(), "load_1min": round(os.getloadavg()[0], 1)},
        "verdicts": _verdicts(results),
        "provenance": provenance,
        "narrators": {name: summary(trial, changed) for name, trial in trials.items()},
        "same_text_with_another_picture": {
            name: same_texts(trials[name], trials[f"{name}+picture"])
            for name in wanted
            if f"{name}+picture" in trials
        },
        "fell_for": {
            name: [*trial.yielded, *trial.injected, *trial.identified]
            for name, trial in trials.items()
        },
    }
    if page is not None:
        shown = {name: trial for name, trial in trials.items() if "+" not in name}
        page.write_text(reading_page(results, shown), encoding="utf-8")
    write_result(result, out, as_json=as_json, told=_markdown)


def _controls(wanted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(c for c in wanted or _CONTROLS if c != "none")


def _results(
    settings: Settings, manifest: Path | None, limit: int, seed: int
) -> tuple[list[tuple[str, FaceAnalysis]], dict[str, str], str]:
    """Cases, the region known to be changed in some of them, and where they are from."""
    from assistant.compose import build
    from assistant.errors import TrainingError
    from assistant.evaluation.explanation_cases import analysed, manifest_pictures
    from assistant.evaluation.explanation_pictures import made_pictures

    assistant = build(settings.model_copy(update={"vlm_backend": "template"}))
    try:
        if manifest is None:
            pictures = made_pictures(assistant.finder, count=limit, seed=seed)
            source = "portraits that installed packages ship, changed in many ways"
        else:
            pictures = manifest_pictures(manifest, limit=limit)
            source = manifest.name
        files = [(p.name, p.data) for p in pictures]
        results = analysed(assistant, files, progress=tell_count)
    finally:
        assistant.close()
    if not results:
        raise TrainingError(
            f"No face was found in {len(files)} pictures, so there is nothing to explain.",
            hint="Name pictures with faces in the manifest.",
            code="no-faces",
        )
    changed = {p.name: p.region for p in pictures if p.region}
    return results, changed, f"{len(results)} faces ({source})"


def _wanted(names: tuple[str, ...], settings: Settings) -> list[str]:
    if names:
        return list(dict.fromkeys(names))
    wanted = ["template", "seeded", "tuned", "untuned"]
    return wanted if settings.vlm_backend in {"template", "llama-cpp"} else [*wanted, "configured"]


def _backend(name: str, settings: Settings) -> VlmBackend:
    from assistant.compose import build_vlm
    from assistant.evaluation.explanation_controls import SeededBackend

    if name == "configured":
        return build_vlm(settings)
    if name == "seeded":
        return SeededBackend()
    if name == "template":
        return build_vlm(settings.model_copy(update={"vlm_backend": "template"}))
    # Slowness is told as seconds; it must not turn into the template's text.
    patient: dict[str, Any] = {"first_token_timeout": 180.0, "total_timeout": 300.0}
    patient["pinned"] = name != "tuned-free"
    embedded = settings.model_copy(
        update={"vlm_backend": "llama-cpp", "vlm": settings.vlm.model_copy(update=patient)}
    )
    if name == "untuned":
        return untuned(embedded)
    return build_vlm(embedded)


def untuned(settings: Settings) -> VlmBackend:
    """The embedded model as it came, without its adapter."""
    from assistant.vlm.llama_cpp import LlamaCppBackend
    from assistant.weights import locate

    where: dict[str, Any] = {
        "data_dir": settings.data_dir,
        "accept_unpinned": settings.accept_unpinned,
    }
    return LlamaCppBackend(
        locate("smollm2-135m-q4", **where),
        locate("mmproj-vits14", **where),
        threads=settings.threads or 2,
        first_token_timeout=settings.vlm.first_token_timeout,
        total_timeout=settings.vlm.total_timeout,
        pinned=settings.vlm.pinned,
    )


def _verdicts(results: list[tuple[str, FaceAnalysis]]) -> dict[str, int]:
    from collections import Counter

    return dict(Counter(r.score.verdict.value for _, r in results))


def _markdown(result: dict[str, Any]) -> str:
    from assistant.evaluation.tables import table

    head = ["narrator", *(label for _, label in _COLUMNS)]
    rows = [
        [name, *(_cell(row[key]) for key, _ in _COLUMNS)]
        for name, row in result["narrators"].items()
    ]
    told = f"{result['source']}, seed {result['seed']}; verdicts {result['verdicts']}"
    return f"{told}\n\n{table(head, rows)}"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return f"{value[0]} of {value[1]}" if value[1] else "-"
    return f"{value:.3f}" if isinstance(value, float) and value <= 1 else f"{value:.4g}"
