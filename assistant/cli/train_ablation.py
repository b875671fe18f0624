"""``whyfake train ablation``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import settings_of

__all__ = ["ablation"]


@click.command("ablation")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seeds", type=click.IntRange(1, 20), default=3, show_default=True, help="How many.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".work"),
    show_default=True,
    help="Caches and checkpoints; the same command again goes on from there.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write JSON here."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def ablation(
    context: click.Context, config: Path, seeds: int, work: Path, out: Path | None, as_json: bool
) -> None:
    """Train the published recipe of CONFIG (YAML) term by term, each with several seeds."""
    from assistant.compose import build_finder
    from assistant.errors import ConfigError
    from assistant.training.ablation import run_ablation, table
    from assistant.training.detector_config import load_config
    from assistant.weights import locate

    settings = settings_of(context)
    loaded = load_config(config)
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
        progress=_progress,
    )
    text = json.dumps(result, indent=1) + "\n"
    if out is not None:
        out.write_text(text, encoding="utf-8")
    click.echo(text if as_json else table(result))


def _progress(what: str, done: int, total: int, value: float) -> None:
    click.echo(f"{what}: {done} of {total} ({value:.3g})", err=True)
