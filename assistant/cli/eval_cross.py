"""``whyfake eval cross-dataset`` and ``whyfake eval zero-shot``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import settings_of

__all__ = ["cross_dataset", "zero_shot"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("cross-dataset")
@click.argument("sets", nargs=-1, required=True, metavar="NAME=MANIFEST...")
@click.option("--limit", type=click.IntRange(2), help="At most this many videos of each set.")
@click.option("--seed", type=int, default=0, help="Of the choice of videos.")
@click.option("--resamples", type=click.IntRange(10), default=400, help="Bootstrap draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def cross_dataset(
    context: click.Context,
    sets: tuple[str, ...],
    limit: int | None,
    seed: int,
    resamples: int,
    as_json: bool,
) -> None:
    """Video AUROC on sets never trained on, beside the published numbers.

    NAME is cdfv2, dfd, dfdc, ffiw or dsv1 (or any other); MANIFEST is what `whyfake manifest build`
    writes: `whyfake --profile full eval cross-dataset cdfv2=cdf.csv dfd=dfd.csv`.
    """
    import numpy as np

    from assistant.compose import build_detector, build_domain, build_finder
    from assistant.evaluation.cross_dataset import cross_dataset_markdown, cross_dataset_table
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.evaluation.scoring import score_manifest

    manifests = {}
    for pair in sets:
        name, sign, path = pair.partition("=")
        if not sign or not name or not path:
            raise click.UsageError(f"{pair!r}: expected NAME=MANIFEST, such as cdfv2=cdf.csv.")
        if name in manifests:
            raise click.UsageError(f"{name!r} is named twice.")
        manifests[name] = read_manifest(Path(path))  # all are checked before anything is scored
    settings = settings_of(context)
    detector, calibrator = build_detector(settings)
    finder, domain = build_finder(settings), build_domain(settings, detector)
    scored = {}
    for name, rows in manifests.items():
        videos = sorted({(row.video, row.label) for row in rows})
        if limit is not None and len(videos) > limit:
            picked = np.random.default_rng(seed).choice(len(videos), limit, replace=False)
            kept = {videos[i] for i in picked}
            rows = [row for row in rows if (row.video, row.label) in kept]
        scored[name] = score_manifest(rows, finder, detector, calibrator, domain=domain)
        click.echo(f"scored {name}: {len(rows)} files", err=True)
    result = cross_dataset_table(scored, resamples=resamples)
    click.echo(json.dumps(result, indent=2) if as_json else cross_dataset_markdown(result))


@click.command("zero-shot")
@click.option("--manifest", type=_FILE, required=True, help="CSV: path,label[,source,video].")
@click.option("--real", multiple=True, help="A prompt of real faces; may be repeated.")
@click.option("--fake", multiple=True, help="A prompt of manipulated faces; may be repeated.")
@click.option("--limit", type=click.IntRange(2), default=400, help="At most this many rows.")
@click.option("--seed", type=int, default=0, help="Of the choice of rows.")
@click.option("--text-tower", type=_FILE, help="One that you trained; default: the shipped one.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def zero_shot(
    context: click.Context,
    manifest: Path,
    real: tuple[str, ...],
    fake: tuple[str, ...],
    limit: int,
    seed: int,
    text_tower: Path | None,
    as_json: bool,
) -> None:
    """AUROC of text prompts alone, by source: nothing is trained for the manifest."""
    from assistant.compose import build_finder
    from assistant.evaluation.face_manifest import read_manifest
    from assistant.training.zero_shot import zero_shot_markdown, zero_shot_table
    from assistant.weights import locate

    if bool(real) != bool(fake):
        raise click.UsageError("Give both --real and --fake, or neither.")
    rows = read_manifest(manifest)
    settings = settings_of(context)
    result = zero_shot_table(
        rows,
        build_finder(settings),
        locate("dinov2-vits14", data_dir=settings.data_dir),
        text_tower or locate("text-tower-vits14", data_dir=settings.data_dir),
        prompts={"yours": (list(real), list(fake))} if real else None,
        limit=limit,
        seed=seed,
    )
    click.echo(json.dumps(result, indent=2) if as_json else zero_shot_markdown(result))
