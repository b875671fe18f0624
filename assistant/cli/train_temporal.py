"""``whyfake train temporal``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from assistant.cli.eval_video import clip_options, judged_clips
from assistant.cli.options import settings_of

__all__ = ["temporal"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("temporal")
@clip_options
@click.option("--out", type=_FILE, required=True, help="The reference: weights/motion.json.")
@click.option("--table", type=_FILE, help="Write how each cue did here (JSON).")
@click.pass_context
def temporal(context: click.Context, /, out: Path, table: Path | None, **clips: Any) -> None:
    """Measure what genuine and manipulated people of clips show over time.

    Cues over time that tell nothing, or of which too few clips are known, are left out of the
    reference and stay silent.
    """
    from assistant.training.temporal import judge_motion, motion_reference, seen_people

    people, of_sets, _ = judged_clips(settings_of(context), **clips)
    seen = seen_people([*people, *of_sets])
    tables = judge_motion(seen)
    made = motion_reference(seen, tables)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")
    if table is not None:
        table.write_text(json.dumps([asdict(t) for t in tables], indent=1) + "\n", "utf-8")
    for row in tables:
        click.echo(f"{row.cue}: {row.why or 'stays'}")
    click.echo(f"Wrote {out}: {len(made['limits'])} of {len(tables)} cues stay.")
