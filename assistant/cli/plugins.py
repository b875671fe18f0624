"""``whyfake plugins``: the implementations of every stage."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from assistant import registry
from assistant.settings import load_settings

__all__ = ["plugins"]


@click.group()
def plugins() -> None:
    """List the implementations of every stage."""


@plugins.command("list")
@click.argument("kind", required=False, type=click.Choice(list(registry.KINDS)))
@click.option("--check", is_flag=True, help="Import every one, which takes some seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_(context: click.Context, kind: str | None, check: bool, as_json: bool) -> None:
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
