"""``whyfake eval grounding``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

__all__ = ["grounding"]


@click.command("grounding")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Every sentence, as JSON."
)
def grounding(as_json: bool, out: Path | None) -> None:
    """Check 120 true and false sentences, and count what was let through and what was lost."""
    from assistant.evaluation.grounding import judged, summary

    found = judged()
    result = summary(found)
    if out is not None:
        rows = [asdict(sentence) for sentence in found]
        out.write_text(json.dumps({**result, "table": rows}, indent=1) + "\n", "utf-8")
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    click.echo(f"{result['sentences']} sentences on three cases, half of them true")
    for name, counts in result["counts"].items():
        told = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items())
        click.echo(f"  {name:<13} {told}")
    click.echo(f"false, let through as supported: {result['false_supported']} (must be 0)")
    share = result["true_contradicted_share"]
    click.echo(
        f"true, called contradicted: {result['true_contradicted']} ({share:.1%}; at most 2%)"
    )
