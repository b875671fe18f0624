"""``whyfake eval leave-out``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import json_option, settings_of, tell_progress, work_option

__all__ = ["leave_out"]


@click.command("leave-out")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@work_option("Caches of crops and views")
@json_option()
@click.pass_context
def leave_out(context: click.Context, config: Path, work: Path, as_json: bool) -> None:
    """Train CONFIG's read-out without each fold of sources, and judge it on these.

    The crops and views in the work folder are used where they are there already.
    """
    from assistant.compose import build_finder
    from assistant.training.leave_out import leave_out_markdown
    from assistant.training.recipe import Recipe
    from assistant.training.sources_run import judge_recipe
    from assistant.weights import locate

    settings = settings_of(context)
    recipe = Recipe.read(config)
    table = judge_recipe(
        recipe,
        locate(recipe.base, data_dir=settings.data_dir),
        build_finder(settings),
        work=work,
        progress=tell_progress,
    )
    click.echo(json.dumps(table, indent=2) if as_json else leave_out_markdown(table))
