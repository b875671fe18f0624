"""``whyfake eval false-alarms``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import settings_of

__all__ = ["false_alarms_command"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("false-alarms")
@click.option(
    "--manifest", type=_FILE, required=True, help="CSV: path,label[,source,kind,video,crop]."
)
@click.option("--kinds", type=_FILE, help="YAML: kinds of sources, and kinds to make of others.")
@click.option("--most", type=click.IntRange(1), default=60, show_default=True, help="Of each kind.")
@click.option("--seed", type=int, default=0, help="Of what made kinds draw.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def false_alarms_command(
    context: click.Context, manifest: Path, kinds: Path | None, most: int, seed: int, as_json: bool
) -> None:
    """How often genuine photos are flagged, by kind: portraits, groups, night, old prints, ..."""
    from assistant.cli.eval_detection import show_progress
    from assistant.compose import build_detector, build_domain, build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.false_alarms import false_alarms, false_alarms_markdown, load_kinds

    config = load_kinds(kinds) if kinds is not None else None
    rows = [row for row in read_manifest(manifest) if not row.label]
    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    result = false_alarms(
        rows,
        build_finder(settings),
        detector,
        calibrator,
        config=config,
        domain=build_domain(settings, detector),
        most=most,
        seed=seed,
        progress=show_progress,
    )
    click.echo(json.dumps(result, indent=2) if as_json else false_alarms_markdown(result))
