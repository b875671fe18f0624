"""``whyfake train domain``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import settings_of

__all__ = ["domain"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("domain")
@click.option("--manifest", type=_FILE, required=True, help="CSV of what the detector knows.")
@click.option(
    "--limit", type=click.IntRange(400), default=2000, show_default=True, help="Pictures at most."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice of pictures.")
@click.option(
    "--out",
    type=_FILE,
    help="Write here; default: the data folder, where it is found at once.",
)
@click.pass_context
def domain(context: click.Context, manifest: Path, limit: int, seed: int, out: Path | None) -> None:
    """Fit the check that tells faces unlike those the detector in use knows."""
    from assistant.compose import DOMAIN_FILES, build_detector, build_finder
    from assistant.errors import ConfigError
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.interfaces import ReadingDetector
    from assistant.training.domain import fit_domain
    from assistant.weights.store import data_dir_or_default

    rows = read_manifest(manifest)
    settings = settings_of(context)
    detector, _ = build_detector(settings)
    if not isinstance(detector, ReadingDetector):
        raise ConfigError(
            f"The detector {detector.name!r} shows no inside, which the domain check needs.",
            hint="Use clip-ln.",
        )
    model = fit_domain(
        rows,
        build_finder(settings),
        detector,
        limit=limit,
        seed=seed,
        progress=lambda _, done, total, __: click.echo(f"faces: {done} of {total}", err=True),
    )
    target = out or data_dir_or_default(settings.data_dir) / DOMAIN_FILES[settings.profile]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(model.to_json()), encoding="utf-8")
    click.echo(
        f"Wrote {target}: fitted on {model.fitted_on['faces']} faces, limits from "
        f"{model.fitted_on['held_out']}; outside from {model.outer:.2f} times the limit."
    )
    if model.fitted_on["auroc_left_out"] is not None:
        click.echo(
            "Sources left out of it are told from held-out videos of those it knows with an AUROC "
            f"of {model.fitted_on['auroc_left_out']:.2f} in the mean (0.5: not at all)."
        )
