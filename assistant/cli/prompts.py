"""``whyfake prompts``: list, show, render and check the prompt files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from assistant.cli.declare import argument, command, option
from assistant.settings import load_settings

if TYPE_CHECKING:
    from assistant.prompting import PromptLibrary

__all__ = ["prompts"]

_VERSION = option("Which version; default: the newest.", name="--version", least=1)


@click.group()
def prompts() -> None:
    """List, show, render and check the prompts."""


def _library(context: click.Context) -> PromptLibrary:
    # Here, so that `whyfake --help` and other commands do not import langchain.
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir

    settings = load_settings(**dict(context.obj or {}))
    return PromptLibrary(settings.prompts_dir or resource_dir("prompts"))


@command("list", of=prompts)
def list_(context: click.Context, as_json: bool = option("Print JSON.", name="--json")) -> None:
    """Show every prompt: name, version, hash, what it is for."""
    library = _library(context)
    rows = [
        {
            "name": name,
            "version": version,
            "sha256": library.get(name, version).ref.sha256,
            "summary": library.get(name, version).summary,
            "inputs": sorted(library.get(name, version).inputs),
        }
        for name in library.names()
        for version in library.versions(name)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        name = f"{row['name']}/v{row['version']}"
        click.echo(f"{name:20} {str(row['sha256'])[:12]}  {row['summary']}")


@command(of=prompts)
def show(context: click.Context, name: str = argument(), number: int | None = _VERSION) -> None:
    """Print a prompt file as it is."""
    library = _library(context)
    ref = library.get(name, number).ref
    path = library.root / ref.name / f"v{ref.version}.yaml"
    click.echo(path.read_text(encoding="utf-8"), nl=False)


@command(of=prompts)
def render(
    context: click.Context,
    name: str = argument(),
    values: tuple[str, ...] = argument(metavar="INPUT=TEXT..."),
    number: int | None = _VERSION,
    as_json: bool = option("Print JSON.", name="--json"),
) -> None:
    """Fill a prompt in and print the messages that a model would get."""
    given: dict[str, str] = {}
    for value in values:
        key, sign, text = value.partition("=")
        if not sign:
            raise click.UsageError(f"{value!r}: expected INPUT=TEXT.")
        given[key] = text
    prompt = _library(context).get(name, number)
    messages = prompt.render(**given)
    if as_json:
        out = [{"role": message.role, "content": message.content} for message in messages]
        click.echo(json.dumps({"prompt": str(prompt.ref), "messages": out}, indent=1))
        return
    click.echo(f"# {prompt.ref}")
    for message in messages:
        click.echo(f"\n[{message.role}]\n{message.content.rstrip()}")


@command(of=prompts)
def check(context: click.Context) -> None:
    """Check every prompt file against its rules and the lock; exit code 1 where one fails."""
    library = _library(context)
    problems = library.check()
    for problem in problems:
        click.echo(problem, err=True)
    count = sum(len(library.versions(name)) for name in library.names())
    if not problems:
        click.echo(f"{count} prompt files are in order.")
    context.exit(1 if problems else 0)
