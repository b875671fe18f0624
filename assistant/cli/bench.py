"""``whyfake bench``: the speed figures of the documents, with their raw results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from assistant.cli.declare import command, option
from assistant.cli.options import (
    finder_and_scorer,
    json_option,
    out_option,
    settings_of,
    write_result,
)

__all__ = ["bench"]

_PARTS = ("start", "pipeline", "evidence", "cues", "clip", "busy", "vlm")


@command()
def bench(
    context: click.Context,
    only: tuple[str, ...] = option(
        "Measure these parts (default: all).", type=click.Choice(_PARTS)
    ),
    rounds: int = option("Timed rounds of each job.", 7, least=1, most=200),
    as_json: bool = json_option("Print the whole result as JSON."),
    out: Path | None = out_option(
        "Also write the result here (docs/results/bench.json in this repository)."
    ),
) -> None:
    """Measure speed; ratios compare two things in one run."""
    from assistant.evaluation import bench as measured
    from assistant.evaluation.bench_clip import bench_clip
    from assistant.evaluation.bench_vlm import bench_vlm

    jobs: dict[str, Callable[[], dict[str, Any]]] = {
        "start": measured.bench_cold_start,
        "pipeline": lambda: _with_assistant(context, measured.bench_pipeline, rounds),
        "evidence": lambda: _with_assistant(context, measured.bench_evidence, rounds),
        "busy": lambda: _with_assistant(context, measured.bench_busy, min(rounds, 3)),
        "cues": lambda: _cues(context, rounds),
        "clip": lambda: bench_clip(*finder_and_scorer(context)),
        "vlm": bench_vlm,
    }
    result: dict[str, Any] = {"schema": "whyfake.bench/1", "seconds": {}, "ratios": {}}
    for part in only or _PARTS:
        click.echo(f"measuring {part} ...", err=True)
        for name, value in jobs[part]().items():
            if isinstance(result.get(name), dict):
                result[name].update(value)
            else:
                result[name] = value
    result["machine"] = measured.machine()
    write_result(result, out, as_json=as_json, told=_told)


def _told(result: dict[str, Any]) -> str:
    return "\n".join(
        f"{group[:-1]:>7}  {name:<32} {value}"
        for group in ("seconds", "ratios")
        for name, value in result[group].items()
    )


def _cues(context: click.Context, rounds: int) -> dict[str, Any]:
    from assistant.compose import build_cues, build_finder
    from assistant.errors import WeightsError
    from assistant.evaluation.bench import bench_cues

    settings = settings_of(context)
    cues = build_cues(settings)
    if cues is None:
        raise WeightsError(
            "No visible cue can be measured: a file is missing.",
            hint="whyfake weights verify tells which.",
            code="cues",
        )
    return bench_cues(cues, build_finder(settings), rounds=rounds)


def _with_assistant(
    context: click.Context, job: Callable[..., dict[str, Any]], rounds: int
) -> dict[str, Any]:
    from assistant.compose import build

    # a busy machine is to be measured, not cut off
    patient = {"vlm.first_token_timeout": 120.0, "vlm.total_timeout": 300.0}
    with contextlib.closing(build(settings_of(context, **patient))) as assistant:
        return job(assistant, rounds=rounds)
