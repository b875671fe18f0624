"""``whyfake train detector``."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
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
    from assistant.evaluation.face_manifest import require_both_classes
    from assistant.training.detector import train_detector
    from assistant.training.detector_config import load_config, manifest_rows
    from assistant.training.joint_run import train_joint
    from assistant.training.surroundings_run import train_surroundings
    from assistant.training.texture_run import train_texture
    from assistant.training.tuning_run import train_layer_norms
    from assistant.weights import locate

    settings = settings_of(context)
    loaded = load_config(config)
    require_both_classes(manifest_rows(loaded))  # before anything is fetched or made
    base = locate(loaded.base, data_dir=settings.data_dir)
    work.mkdir(parents=True, exist_ok=True)
    recipes: dict[str, Callable[..., dict[str, Any]]] = {
        "read-out": train_detector,
        "joint": train_joint,
        "layer-norms": train_layer_norms,
    }
    if loaded.recipe in ("texture", "surroundings"):
        texture = locate(loaded.texture_base, data_dir=settings.data_dir)
        recipes["texture"] = partial(train_texture, texture=texture)
        recipes["surroundings"] = partial(train_surroundings, texture=texture)
    recipe = recipes[loaded.recipe]
    report = recipe(
        loaded, base, build_finder(settings), work=work, output=out, progress=tell_progress
    )
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    click.echo(f"Wrote {out}: trained on {report['trained_on']} faces.")
    for source, numbers in report["test"].items():
        click.echo(f"  {source}: AUROC {numbers['auroc']} on {numbers['n']} held-out faces")
