"""``whyfake bench``: the speed figures of the documents, with their raw results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

__all__ = ["bench"]

_PARTS = ("start", "pipeline", "evidence", "cues", "busy", "vlm")


@click.command()
@click.option(
    "--only", type=click.Choice(_PARTS), multiple=True, help="Measure these parts (default: all)."
)
@click.option("--rounds", type=click.IntRange(1, 200), default=7, help="Timed rounds of each job.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the result here (docs/results/bench.json in this repository).",
)
@click.pass_context
def bench(
    context: click.Context, only: tuple[str, ...], rounds: int, as_json: bool, out: Path | None
) -> None:
    """Measure speed; ratios compare two things in one run."""
    from assistant.evaluation.bench import (
        bench_busy,
        bench_cold_start,
        bench_cues,
        bench_evidence,
        bench_pipeline,
        machine,
    )

    parts = only or _PARTS
    result: dict[str, Any] = {"schema": "whyfake.bench/1", "seconds": {}, "ratios": {}}
    for part in parts:
        click.echo(f"measuring {part} ...", err=True)
        if part == "start":
            _merge(result, bench_cold_start())
        elif part == "pipeline":
            _merge(result, _with_assistant(context, lambda a: bench_pipeline(a, rounds=rounds)))
        elif part == "evidence":
            _merge(result, _with_assistant(context, lambda a: bench_evidence(a, rounds=rounds)))
        elif part == "busy":
            _merge(result, _with_assistant(context, lambda a: bench_busy(a, rounds=min(rounds, 3))))
        elif part == "cues":
            _merge(result, _cues(context, lambda c, f: bench_cues(c, f, rounds=rounds)))
        else:
            from assistant.evaluation.bench_vlm import bench_vlm

            _merge(result, bench_vlm())
    result["machine"] = machine()
    text = json.dumps(result, indent=2)
    if out is not None:
        out.write_text(text + "\n")
    if as_json:
        click.echo(text)
        return
    for group in ("seconds", "ratios"):
        for name, value in result[group].items():
            click.echo(f"{group[:-1]:>7}  {name:<32} {value}")


def _cues(context: click.Context, job: Any) -> dict[str, Any]:
    from assistant.cli.options import settings_of
    from assistant.compose import build_cues, build_finder
    from assistant.errors import WeightsError

    settings = settings_of(context)
    cues = build_cues(settings)
    if cues is None:
        raise WeightsError(
            "No visible cue can be measured: a file is missing.",
            hint="whyfake weights verify tells which.",
            code="cues",
        )
    measured: dict[str, Any] = job(cues, build_finder(settings))
    return measured


def _with_assistant(context: click.Context, job: Any) -> dict[str, Any]:
    from assistant.cli.options import settings_of
    from assistant.compose import build

    # a busy machine is to be measured, not cut off
    patient = {"vlm.first_token_timeout": 120.0, "vlm.total_timeout": 300.0}
    assistant = build(settings_of(context, **patient))
    try:
        measured: dict[str, Any] = job(assistant)
    finally:
        assistant.close()
    return measured


def _merge(result: dict[str, Any], part: dict[str, Any]) -> None:
    for name, value in part.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name].update(value)
        else:
            result[name] = value
