"""``whyfake eval explanations``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.declare import EXISTING, EXISTING_FILE, command, option
from assistant.cli.options import (
    json_option,
    out_option,
    pictures_option,
    settings_of,
    write_result,
)

if TYPE_CHECKING:
    from assistant.interfaces import VlmBackend
    from assistant.routing import QuestionKind
    from assistant.settings import Settings

__all__ = ["described", "explanations"]

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


@command("explanations")
def explanations(
    context: click.Context,
    manifest: Path | None = pictures_option(
        "Pictures: CSV with a path column (and label: 1 manipulated, source, and region, where one "
        "is known to be changed), or one path a line. Default: portraits that installed packages "
        "ship, changed in many ways."
    ),
    human: tuple[Path, ...] = option(
        "What people wrote of the manifest's frames (exddv.csv, or DD-VQA's folder; may be given "
        "twice): measure only how often the first two regions told are among those that people "
        "named.",
        type=EXISTING,
    ),
    limit: int = option("At most this many pictures.", 50, least=1),
    half_wrong: bool = option(
        "Draw the pictures from the manifest so that the score lies on the wrong side for half of "
        "them: sources and labels take turns."
    ),
    few: int = option(
        "On so many of them questions are asked, and untuned narrators and controls measured.",
        8,
        least=1,
    ),
    names: tuple[str, ...] = option(
        "Measure these only; default: template, tuned, untuned, and the configured one if it is "
        "another.",
        name="--narrator",
        type=click.Choice(_NARRATORS),
    ),
    controls: tuple[str, ...] = option(
        "Measure these controls only; default: all.",
        name="--control",
        type=click.Choice((*_CONTROLS, "none")),
    ),
    questions: int = option("Asked on each picture.", 2, least=0, most=6),
    wordings: Path = option(
        "The router's recipe: questions are drawn from the wordings that it holds out.",
        Path("configs/router.yaml"),
    ),
    attacks: bool = option("Pressures, injections, identity.", True, name="--attacks/--no-attacks"),
    seed: int = option(default=0),
    rows_file: Path | None = option(
        "Write each text here as it is told, a line of JSON; the same command again goes on from "
        "there.",
        name="--rows",
    ),
    blind: Path | None = option(
        "Write the texts of two narrators (--narrator A --narrator B) from --rows here, "
        "unlabelled and in a drawn order, for a judge to fill in; measure nothing."
    ),
    judged: Path | None = option(
        "Count the preferences in a file of --blind that a judge filled in; measure nothing.",
        type=EXISTING_FILE,
    ),
    as_json: bool = json_option("Print the result as JSON."),
    out: Path | None = out_option("Write the JSON here."),
) -> None:
    """Measure how true, whole, steadfast and readable each narrator's explanations are."""
    from assistant.compose import build
    from assistant.evaluation.explanation_blind import blind_file, counted
    from assistant.evaluation.explanation_cases import (
        analysed_face,
        first_score,
        manifest_pictures,
    )
    from assistant.evaluation.explanation_pictures import made_pictures
    from assistant.evaluation.explanation_rows import Rows
    from assistant.evaluation.explanation_run import Run
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir

    settings = settings_of(context)
    if human:
        from assistant.cli.eval_human import against_people
        from assistant.evaluation.human_regions import comparison_table

        told = against_people(settings, manifest, human, limit)
        write_result(told, out, as_json=as_json, told=lambda found: comparison_table(found["sets"]))
        return
    rows = Rows(rows_file)
    if blind is not None:
        if rows_file is None or len(set(names)) != 2:
            raise click.UsageError("--blind takes --rows and two narrators, each by --narrator.")
        click.echo(f"{blind_file(rows, (names[0], names[1]), blind, seed=seed)} pairs")
        return
    if judged is not None:
        write_result(counted(judged, rows), out, as_json=True, told=str)
        return
    if half_wrong and manifest is None:
        raise click.UsageError("--half-wrong takes a --manifest with a column `label`.")
    backends = {name: _backend(name, settings) for name in _wanted(names, settings)}
    run = Run(
        rows=rows,
        backends=backends,
        prompts=PromptLibrary(settings.prompts_dir or resource_dir("prompts")),
        controls=tuple(c for c in controls or _CONTROLS if c != "none"),
        limit=limit,
        few=few,
        on_few=_SHORT,
        questions=questions,
        ways=_ways(wordings) if questions else {},
        attacks=attacks,
        seed=seed,
    )
    assistant = build(settings.model_copy(update={"vlm_backend": "template"}))
    try:
        if manifest is None:
            pictures = iter(made_pictures(assistant.finder, count=limit, seed=seed))
        elif half_wrong:
            drawn = manifest_pictures(manifest, seed=seed)
            pictures = run.half_wrong(drawn, partial(first_score, assistant))
        else:
            pictures = manifest_pictures(manifest, limit=limit)
        run.tell(pictures, partial(analysed_face, assistant))
        result = run.result()
    finally:
        assistant.close()
        for vlm in backends.values():
            vlm.close()
    write_result(result, out, as_json=as_json, told=_markdown)


@command("described")
def described(
    context: click.Context,
    manifest: Path | None = pictures_option(
        "Pictures of genuine faces: CSV with a path column, or one path a line; labels (columns "
        "glasses, beard, open mouth: 1 or 0) are measured too. Default: portraits that "
        "installed packages ship."
    ),
    limit: int = option("At most this many pictures.", 12, least=1),
    as_json: bool = json_option("Print the result as JSON."),
    out: Path | None = out_option("Write the JSON here, with all texts."),
) -> None:
    """Measure what the text model sees of a face: its blind description against known changes."""
    from assistant.compose import build
    from assistant.evaluation.described import described as measured
    from assistant.evaluation.map_faces import aligned_faces, manifest_pictures, shipped_pictures
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir
    from assistant.training.narrator_pictures import Seen, read_labels
    from assistant.types import CropSpec

    settings = settings_of(context)
    pictures = shipped_pictures() if manifest is None else manifest_pictures(manifest, limit=limit)
    assistant = build(settings.model_copy(update={"vlm_backend": "template"}))
    vlm = _backend("tuned", settings)
    try:
        found = aligned_faces(pictures[:limit], assistant.finder, CropSpec())
        labels = {} if manifest is None or manifest.suffix != ".csv" else read_labels(manifest)
        faces = [
            Seen(crop=f.crop, points=f.crop_landmarks[:5], shows=labels.get(f.name, ("", {}))[1])
            for f in found
        ]
        prompt = PromptLibrary(settings.prompts_dir or resource_dir("prompts")).get("describe")
        result = measured(vlm, faces, prompt)
        result["provenance"] = dict(vlm.provenance())
    finally:
        assistant.close()
        vlm.close()
    write_result(result, out, as_json=as_json, told=_seen)


def _seen(result: dict[str, Any]) -> str:
    from assistant.evaluation.tables import table

    rows = [
        [
            f"{name}, {how}",
            *("{} of {}".format(*row[key]) for key in ("named_with", "named_without")),
            "{:.2f} ({:.2f} to {:.2f})".format(row["balanced_accuracy"], *row["interval"]),
            "yes" if row["seen"] else "no",
        ]
        for how in ("drawn", "labelled")
        for name, row in result[how].items()
    ]
    head = ["attribute", "named where it is", "where it is not", "balanced accuracy", "seen"]
    return f"{table(head, rows)}\n\nwithout a picture: {result['control']}"


def _ways(recipe: Path) -> dict[QuestionKind, list[str]]:
    """English wordings that the router holds out, by kind of question."""
    from assistant.training.router import RouterConfig, read_wordings

    ways: dict[QuestionKind, list[str]] = {}
    for wording in read_wordings(RouterConfig.read(recipe)):
        if wording.held_out and wording.language == "en":
            ways.setdefault(wording.kind, []).append(wording.text)
    return ways


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


def _markdown(result: dict[str, Any]) -> str:
    from assistant.evaluation.tables import table

    head = ["narrator", *(label for _, label in _COLUMNS)]
    rows = [
        [name, *(_cell(row[key]) for key, _ in _COLUMNS)]
        for name, row in result["narrators"].items()
    ]
    told = (
        f"{result['cases']} faces, the score known to be on the wrong side for "
        f"{result['score_on_the_wrong_side']}, the verdict wrong for {result['verdict_wrong']}, "
        f"seed {result['seed']}; verdicts {result['verdicts']}"
    )
    return f"{told}\n\n{table(head, rows)}"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return f"{value[0]} of {value[1]}" if value[1] else "-"
    return f"{value:.3f}" if isinstance(value, float) and value <= 1 else f"{value:.4g}"
