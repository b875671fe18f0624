"""``whyfake train ablation``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import (
    json_option,
    out_option,
    settings_of,
    tell_progress,
    work_option,
)

__all__ = ["ablation"]


@click.command("ablation")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seeds", type=click.IntRange(1, 20), default=3, show_default=True, help="How many.")
@work_option("Caches and checkpoints")
@out_option("Also write JSON here.")
@json_option("Print JSON instead of a table.")
@click.pass_context
def ablation(
    context: click.Context, config: Path, seeds: int, work: Path, out: Path | None, as_json: bool
) -> None:
    """Train the published recipe of CONFIG (YAML) term by term, each with several seeds."""
    from assistant.compose import build_finder
    from assistant.errors import ConfigError
    from assistant.training.ablation import run_ablation, table
    from assistant.training.detector_config import DetectorConfig
    from assistant.weights import locate

    settings = settings_of(context)
    loaded = DetectorConfig.read(config)
    if loaded.recipe != "layer-norms":
        raise ConfigError(
            f"{config} has the recipe {loaded.recipe!r}; an ablation is of 'layer-norms'.",
            hint="Start from configs/ablation-vits14.yaml.",
        )
    work.mkdir(parents=True, exist_ok=True)
    result = run_ablation(
        loaded,
        locate(loaded.base, data_dir=settings.data_dir),
        build_finder(settings),
        work=work,
        seeds=range(seeds),
        progress=tell_progress,
    )
    text = json.dumps(result, indent=1) + "\n"
    if out is not None:
        out.write_text(text, encoding="utf-8")
    click.echo(text if as_json else table(result))
