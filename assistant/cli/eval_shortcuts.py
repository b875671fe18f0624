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
    "--limit", type=click.IntRange(40), default=800, show_default=True, help="Of each source."
)
@click.option("--seed", type=int, default=0, help="Of the choice of faces.")
@click.option(
    "--pairs",
    is_flag=True,
    help="Genuine pictures of each source against manipulated ones of each (--limit of both).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def shortcuts(manifest: Path, limit: int, seed: int, pairs: bool, as_json: bool) -> None:
    """How well file metadata and low-level statistics alone tell the classes apart."""
    from assistant.evaluation.face_manifest import read_manifest

    if pairs:
        from assistant.cli.eval_detection import show_progress
        from assistant.training.pair_shortcuts import pair_shortcuts, pairs_markdown

        found = pair_shortcuts(
            read_manifest(manifest), limit=limit, seed=seed, progress=show_progress
        )
        click.echo(json.dumps(found, indent=2) if as_json else pairs_markdown(found))
        return
    from assistant.training.batch_shortcuts import batch_shortcuts, shortcuts_markdown

    result = batch_shortcuts(read_manifest(manifest), limit=limit, seed=seed)
    click.echo(json.dumps(result, indent=2) if as_json else shortcuts_markdown(result))
