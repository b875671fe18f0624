"""``whyfake eval shortcuts``."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["shortcuts"]


@click.command("shortcuts")
@click.option(
    "--manifest", type=click.Path(path_type=Path, dir_okay=False), required=True, help="CSV."
)
@click.option(
    "--limit",
    type=click.IntRange(20),
    default=100,
    show_default=True,
    help="Of each class of each source.",
)
@click.option("--seed", type=int, default=0, help="Of the wear.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def shortcuts(manifest: Path, limit: int, seed: int, as_json: bool) -> None:
    """How well file metadata and low-level statistics alone tell each pair of sources apart."""
    from assistant.cli.eval_detection import show_progress
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.pair_shortcuts import pair_shortcuts, pairs_markdown

    found = pair_shortcuts(read_manifest(manifest), limit=limit, seed=seed, progress=show_progress)
    click.echo(json.dumps(found, indent=2) if as_json else pairs_markdown(found))
