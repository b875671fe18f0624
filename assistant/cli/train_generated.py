"""``whyfake train generated-faces``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from assistant.cli.options import json_option, settings_of, tell_progress

__all__ = ["PARTS", "generated_faces"]

#: Files of the weights' manifest, in the order in which the generator takes them.
PARTS = (
    "mobilestylegan-mapping-xml",
    "mobilestylegan-mapping",
    "mobilestylegan-synthesis-xml",
    "mobilestylegan-synthesis",
)


@click.command("generated-faces")
@click.option(
    "--count", type=click.IntRange(1), default=1200, show_default=True, help="How many faces."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, other faces.")
@click.option(
    "--side", type=click.IntRange(64, 1024), default=256, show_default=True, help="Pixels a side."
)
@click.option(
    "--quality", type=click.IntRange(1, 100), default=75, show_default=True, help="Of the JPEGs."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".work/generated"),
    show_default=True,
    help="Folder of the pictures and their manifest; the same command again goes on from there.",
)
@json_option()
@click.pass_context
def generated_faces(
    context: click.Context,
    count: int,
    seed: int,
    side: int,
    quality: int,
    out: Path,
    as_json: bool,
) -> None:
    """Make faces of people who do not exist, to train or to evaluate on.

    They come from MobileStyleGAN (arXiv 2104.04767), about three a second on two cores. Its four
    files are fetched once: whyfake weights fetch mobilestylegan-mapping-xml mobilestylegan-mapping
    mobilestylegan-synthesis-xml mobilestylegan-synthesis
    """
    from assistant.training.generated import MobileStyleGAN, write_generated
    from assistant.weights import locate

    settings = settings_of(context)
    mapping_xml, mapping, synthesis_xml, synthesis = (
        locate(name, data_dir=settings.data_dir) for name in PARTS
    )
    manifest = write_generated(
        MobileStyleGAN((mapping_xml, mapping), (synthesis_xml, synthesis)),
        out,
        count=count,
        seed=seed,
        side=side,
        quality=quality,
        progress=tell_progress,
    )
    if as_json:
        click.echo(json.dumps({"manifest": str(manifest), "faces": count, "seed": seed}))
        return
    click.echo(f"Wrote {count} faces and {manifest}.")
