"""``whyfake train detector``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from assistant.cli.options import (
    json_option,
    out_option,
    settings_of,
    tell_progress,
    work_option,
)

__all__ = ["detector"]


@click.command("detector")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@work_option("Caches and checkpoints")
@out_option("The trained detector.", "detector.safetensors")
@json_option()
@click.pass_context
def detector(context: click.Context, config: Path, work: Path, out: Path, as_json: bool) -> None:
    """Train a detector as CONFIG (YAML) says, calibrate it, and write one file."""
    from assistant.compose import build_finder
    from assistant.evaluation.face_manifest import read_manifest, require_both_classes
    from assistant.training.detector_config import DetectorConfig
    from assistant.training.recipe import Recipe, is_recipe
    from assistant.training.sources_run import train_sources
    from assistant.training.tuning_run import train_layer_norms
    from assistant.weights import locate

    settings = settings_of(context)
    where: dict[str, Any] = {"work": work, "output": out, "progress": tell_progress}
    if is_recipe(config):
        recipe = Recipe.read(config)
        base = locate(recipe.base, data_dir=settings.data_dir)
        report = train_sources(recipe, base, build_finder(settings), **where)
        _tell_left_out(report, out, as_json)
        return
    loaded = DetectorConfig.read(config)
    require_both_classes(read_manifest(loaded.manifest))  # before anything is fetched or made
    base = locate(loaded.base, data_dir=settings.data_dir)
    work.mkdir(parents=True, exist_ok=True)
    report = train_layer_norms(loaded, base, build_finder(settings), **where)
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    click.echo(f"Wrote {out}: trained on {report['trained_on']} faces.")
    for source, numbers in report["test"].items():
        click.echo(f"  {source}: AUROC {numbers['auroc']} on {numbers['n']} held-out faces")


def _tell_left_out(report: dict[str, Any], out: Path, as_json: bool) -> None:
    """The report of the sources recipe: how it does on sources that were left out."""
    from assistant.training.leave_out import leave_out_markdown

    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    click.echo(f"Wrote {out}: {report['views']} views of {report['sources']} sources.")
    click.echo(leave_out_markdown(report["leave_out"]))
