"""``whyfake train text-tower``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import settings_of

__all__ = ["text_tower"]


@click.command("text-tower")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".work"),
    show_default=True,
    help="Caches; the same command again goes on from there.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("text-tower.safetensors"),
    show_default=True,
    help="The trained text tower.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def text_tower(context: click.Context, config: Path, work: Path, out: Path, as_json: bool) -> None:
    """Train a text tower against the locked picture tower, as CONFIG (YAML) says."""
    from assistant.compose import build_finder
    from assistant.training.text_tower import load_text_config, report_text, train_text_tower
    from assistant.weights import locate

    settings = settings_of(context)
    loaded = load_text_config(config)
    work.mkdir(parents=True, exist_ok=True)
    report = train_text_tower(
        loaded,
        locate(loaded.base, data_dir=settings.data_dir),
        build_finder(settings),
        work=work,
        output=out,
        progress=lambda what, done, total, value: click.echo(
            f"{what}: {done} of {total} ({value:.3g})", err=True
        ),
    )
    click.echo(json.dumps(report, indent=2) if as_json else report_text(report))
