"""``whyfake adapt``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import (
    json_option,
    out_option,
    settings_of,
    tell_progress,
    work_option,
)

__all__ = ["adapt"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@out_option("The adapted detector.", "adapted.safetensors")
@work_option("Caches")
@json_option()
@click.pass_context
def adapt(context: click.Context, folder: Path, out: Path, work: Path, as_json: bool) -> None:
    """Adapt the detector to your own faces in FOLDER/real and FOLDER/fake."""
    from assistant.compose import build_finder
    from assistant.training.adaptation import adapt_detector, folder_rows
    from assistant.weights import locate

    rows = folder_rows(folder)
    settings = settings_of(context)
    work.mkdir(parents=True, exist_ok=True)
    report = adapt_detector(
        rows,
        locate("dinov2-vits14", data_dir=settings.data_dir),
        locate("clip-ln-vits14", data_dir=settings.data_dir),
        build_finder(settings),
        work=work,
        output=out,
        progress=tell_progress,
    )
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    for name in ("before", "after"):
        numbers = report[name]
        click.echo(f"{name}: AUROC {numbers['auroc']:.3f}, ECE {numbers['ece']:.3f}")
    click.echo(f"on {report['judged']} held-out faces of other groups; wrote {out}")
    if report["recommended"]:
        click.echo(f"Use it: ASSISTANT_DETECTOR_WEIGHTS={out} whyfake analyze PICTURE")
    for text in report["warnings"]:
        click.echo(f"Warning: {text}.")
