"""``whyfake config``: every setting, its value and where it came from."""

from __future__ import annotations

import json

import click

from assistant.cli.declare import command, option
from assistant.settings import Settings, flat_fields, load_with_origins

__all__ = ["PAGE_HEAD", "config"]

PAGE_HEAD = """\
# Settings

Written by `whyfake config describe`. A flag (`whyfake --set NAME=VALUE ...`) beats the environment
variable, which beats the settings file, which beats the profile's choice, which beats the default.
The settings file is TOML: `--config FILE`, else `ASSISTANT_CONFIG`, else `whyfake.toml` in the
current folder, else `config.toml` in the user's configuration folder. There, a name with a dot is a
table:

```toml
profile = "embedded"

[vlm]
total_timeout = 90.0
```

`whyfake config show` tells every value in force and where it came from. A wrong or unknown setting
is an error, and all of them are told at once. `ASSISTANT_WEIGHTS_DIR` points to another weights
manifest.
"""


@click.group()
def config() -> None:
    """Show the settings."""


@command(of=config)
def show(
    context: click.Context,
    as_json: bool = option("Print JSON.", name="--json"),
    meaning: bool = option("Add what each setting means."),
) -> None:
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


@command(of=config)
def describe() -> None:
    """Print the page of all settings (Markdown), as in docs/settings.md."""
    click.echo(PAGE_HEAD)
    click.echo("| setting | variable | default | meaning |\n|---|---|---|---|")
    defaults = Settings()
    for name, meaning in flat_fields():
        value: object = defaults
        for part in name.split("."):
            value = getattr(value, part)
        variable = "ASSISTANT_" + name.upper().replace(".", "__")
        shown = "" if value is None else f"`{value}`"
        click.echo(f"| `{name}` | `{variable}` | {shown} | {meaning} |")
