"""``whyfake train narrator``."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.cli.declare import EXISTING_FILE, FOLDER, argument, command, option
from assistant.cli.options import base_and_finder

__all__ = ["narrator"]


@command("narrator")
def narrator(
    context: click.Context,
    config: Path = argument(type=EXISTING_FILE),
    export: Path | None = option(
        "Also write projector, LoRA and GGUF adapter into this folder.", type=FOLDER
    ),
    dialogues: Path | None = option(
        "Write the dialogues that the run would learn from here, a line of JSON each; train none."
    ),
    restart: bool = option("Begin anew even where a checkpoint lies."),
) -> None:
    """Train the embedded text model and its projector as CONFIG (a YAML file) says.

    A run that was stopped goes on from its last checkpoint.
    """
    from assistant.training.narrator import load_config, train_narrator, write_dialogues
    from assistant.training.narrator_export import export_narrator
    from assistant.weights import locate

    settings = load_config(config)
    if dialogues is not None:
        count, words = write_dialogues(settings, dialogues)
        click.echo(f"{count} dialogues, {words:.0f} words a text on average")
        return
    tower, finder = base_and_finder(context, settings.tower)
    checkpoint = train_narrator(
        settings,
        language_model=locate(settings.language_model),
        tower=tower,
        finder=finder,
        resume=not restart,
        progress=lambda line: click.echo(line, err=True),
    )
    click.echo(checkpoint)
    if export is None:
        return
    export.mkdir(parents=True, exist_ok=True)
    lora = export / "narrator-lora.safetensors"
    projector = export / "projector-vits14.safetensors"
    adapter = export / "narrator-lora.gguf"
    export_narrator(
        checkpoint, lora=lora, projector=projector, adapter=adapter, alpha=settings.alpha
    )
    for path in (lora, projector, adapter):
        click.echo(path)
