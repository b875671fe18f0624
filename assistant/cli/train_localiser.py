"""``whyfake train blend-localiser``."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from assistant.cli.options import settings_of

__all__ = ["blend_localiser"]


@click.command("blend-localiser")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="Pictures of untouched faces: CSV with a path column, or one path a line.",
)
@click.option("--limit", type=click.IntRange(2), default=1000, help="At most this many faces.")
@click.option("--samples", type=click.IntRange(1), default=1000, help="Pictures to make of them.")
@click.option("--epochs", type=click.IntRange(1), default=12, help="Passes over them.")
@click.option("--seed", type=int, default=0, help="Of everything drawn.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("weights/blend-localiser.safetensors"),
    show_default=True,
    help="Where to write it.",
)
@click.pass_context
def blend_localiser(
    context: click.Context,
    manifest: Path,
    limit: int,
    samples: int,
    epochs: int,
    seed: int,
    out: Path,
) -> None:
    """Train the map that shows where blended pixels are, from self-made masks."""
    from assistant.compose import build_detector, build_finder
    from assistant.errors import TrainingError
    from assistant.evaluation.map_faces import aligned_faces, manifest_pictures
    from assistant.interfaces import TraceableDetector
    from assistant.training.blend_localiser import save_localiser, train_localiser

    logging.getLogger("assistant.training").setLevel(logging.INFO)
    settings = settings_of(context)
    detector, _ = build_detector(settings)
    if not isinstance(detector, TraceableDetector):
        raise TrainingError(
            f"The detector {detector.name!r} shows no tokens to train on.",
            hint="Use clip-ln with the embedded profile.",
            code="no-gradients",
        )
    faces = aligned_faces(
        manifest_pictures(manifest, limit=limit), build_finder(settings), detector.crop_spec
    )
    net = train_localiser(detector, faces, samples=samples, epochs=epochs, seed=seed)
    save_localiser(net, out, base_sha256=detector.provenance()["base_sha256"])
    click.echo(f"Wrote {out}: trained on {samples} pictures made of {len(faces)} faces.")
