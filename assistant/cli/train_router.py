"""``whyfake train router`` and ``whyfake eval router``."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["evaluate", "router"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("router")
@click.option("--config", "recipe", type=_FILE, default=Path("configs/router.yaml"))
def router(recipe: Path) -> None:
    """Fit the classifier of questions on the lists of wordings."""
    from assistant.training.router import RouterConfig, train_router

    log = train_router(RouterConfig.read(recipe))
    click.echo(
        f"{log['wordings']} wordings, {log['held_out']} of them held out, {log['topics']} topics.\n"
        f"{log['size']} bytes, SHA-256 {log['sha256']}: put both into weights/manifest.json."
    )


@click.command("router")
@click.option("--config", "recipe", type=_FILE, default=Path("configs/router.yaml"))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--out", type=_FILE, help="Write the JSON here.")
@click.option("--wrong", is_flag=True, help="List the held-out wordings that go astray.")
def evaluate(recipe: Path, as_json: bool, out: Path | None, wrong: bool) -> None:
    """Measure the router of questions that is in use on the held-out wordings."""
    from assistant.evaluation.router import evaluate_router
    from assistant.routing import Router
    from assistant.training.router import RouterConfig, read_wordings
    from assistant.weights.store import locate

    held_out = [w for w in read_wordings(RouterConfig.read(recipe)) if w.held_out]
    used = Router.load(locate("router"))
    found = evaluate_router(used, held_out)
    text = json.dumps(found, indent=1)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
    if as_json:
        click.echo(text)
        return
    click.echo(
        f"macro F1 {found['macro_f1']:.3f} over {len(found['f1'])} kinds "
        f"({found['macro_f1_topics']:.3f} over topics), {found['wordings']} held-out wordings; "
        f"wrongly refused {found['refused_wrongly']:.1%}; {found['milliseconds']:.1f} ms a question"
    )
    for name, row in found["by_list"].items():
        click.echo(f"  {name}: {row['macro_f1']:.3f} ({row['wordings']} wordings)")
    click.echo("  " + ", ".join(f"{name} {value:.2f}" for name, value in found["f1"].items()))
    for wording in held_out if wrong else ():
        route = used(wording.text)
        if route.kind.value != wording.kind.value:
            click.echo(
                f"  {route.confidence:.2f} {wording.text!r}: {wording.label} -> {route.kind}"
            )
