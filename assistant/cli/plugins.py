"""``whyfake plugins``: the implementations of every stage."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from assistant import registry
from assistant.cli.declare import argument, command, option
from assistant.settings import load_settings

__all__ = ["plugins"]


@click.group()
def plugins() -> None:
    """List the implementations of every stage."""


@command("list", of=plugins)
def list_(
    context: click.Context,
    kind: str | None = argument(required=False, type=click.Choice(list(registry.KINDS))),
    check: bool = option("Import every one, which takes some seconds."),
    as_json: bool = option("Print JSON.", name="--json"),
) -> None:
    """Show every implementation: chosen (*), where it is from, and why it is broken."""
    settings = load_settings(**dict(context.obj or {}))
    chosen = {
        ("face_finders", settings.face_finder),
        ("detectors", settings.detector),
        ("attributors", settings.attributor),
        ("vlm_backends", settings.vlm_backend),
    }
    found = registry.listing(kind, check=check, plugins=settings.plugins)
    if as_json:
        out = [{**asdict(each), "chosen": (each.kind, each.name) in chosen} for each in found]
        click.echo(json.dumps(out, indent=1))
        return
    last = ""
    for each in found:
        if each.kind != last:
            click.echo(("\n" if last else "") + f"{registry.KINDS[each.kind]}s ({each.kind})")
            last = each.kind
        mark = "*" if (each.kind, each.name) in chosen else " "
        state = f"BROKEN: {each.error}" if each.error else each.origin
        click.echo(f" {mark} {each.name:22} {state}")
