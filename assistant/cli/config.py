"""``whyfake config``: every setting, its value and where it came from."""

from __future__ import annotations

import json

import click

from assistant.settings import load_with_origins

__all__ = ["config"]


@click.group()
def config() -> None:
    """Show the settings."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--meaning", is_flag=True, help="Add what each setting means.")
@click.pass_context
def show(context: click.Context, as_json: bool, meaning: bool) -> None:
    """Print each setting's value and origin (flag > environment > file > profile > default)."""
    loaded = load_with_origins(**dict(context.obj or {}))
    rows = list(loaded.rows())
    if as_json:
        out = {
            name: {"value": value, "origin": origin, "description": description}
            for name, value, origin, description in rows
        }
        click.echo(json.dumps(out, indent=1, default=str))
        return
    wide = max(len(name) for name, *_ in rows)
    for name, value, origin, description in rows:
        shown = "-" if value is None else str(value)
        click.echo(f"{name:{wide}}  {shown:24}  {origin}")
        if meaning:
            click.echo(f"{'':{wide}}  {description}")
    click.echo(f"\nSettings file: {loaded.config_file or 'none'}")
