"""``whyfake detectors``: which detectors can run here, and what the others need."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict

import click

from assistant.cli.declare import command
from assistant.cli.options import json_option, settings_of

__all__ = ["detectors"]


@command()
def detectors(context: click.Context, as_json: bool = json_option("Print JSON.")) -> None:
    """List every detector: chosen (*), ready or not, and the next step for those that are not.

    Use one: `whyfake analyze photo.jpg --detector NAME [--weights FILE]`.
    """
    from assistant.speakers import detector_states

    states = detector_states(settings_of(context))
    if as_json:
        told = [{**asdict(state), "ready": state.ready} for state in states]
        click.echo(json.dumps(told, indent=1))
        return
    for state in sorted(states, key=lambda s: (not s.ready, s.name)):
        click.echo(f" {'*' if state.chosen else ' '} {state.name:20} {state.words}")
        if not state.ready:
            lead = " " * 24
            why = f"{state.problem} {state.hint}".strip()
            wrapped = textwrap.wrap(why, 76, break_on_hyphens=False)
            click.echo("\n".join(lead + line for line in wrapped))
