"""``whyfake train text-tower``."""

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

__all__ = ["text_tower"]


@click.command("text-tower")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@work_option("Caches")
@out_option("The trained text tower.", "text-tower.safetensors")
@json_option()
@click.pass_context
def text_tower(context: click.Context, config: Path, work: Path, out: Path, as_json: bool) -> None:
    """Train a text tower against the locked picture tower, as CONFIG (YAML) says."""
    from assistant.compose import build_finder
    from assistant.training.text_tower import TextTowerConfig, report_text, train_text_tower
    from assistant.weights import locate

    settings = settings_of(context)
    loaded = TextTowerConfig.read(config)
    work.mkdir(parents=True, exist_ok=True)
    report = train_text_tower(
        loaded,
        locate(loaded.base, data_dir=settings.data_dir),
        build_finder(settings),
        work=work,
        output=out,
        progress=tell_progress,
    )
    click.echo(json.dumps(report, indent=2) if as_json else report_text(report))
