"""``whyfake``: the command group. A command's module is imported only when that command runs."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import Any

import click

from assistant import __version__
from assistant.errors import AssistantError

__all__ = ["COMMANDS", "main"]

#: Command name -> ("module:attribute", one line for --help). Adding a command is adding a line.
COMMANDS: dict[str, tuple[str, str]] = {
    "analyze": ("assistant.cli.analyze:analyze", "Analyse photos or videos."),
    "ask": ("assistant.cli.analyze:ask", "Analyse a photo once and answer questions about it."),
    "serve": ("assistant.cli.serve:serve", "Start the chat page on this machine."),
    "doctor": ("assistant.cli.doctor:doctor", "Tell what is there, what is missing, what to type."),
    "weights": ("assistant.cli.weights:weights", "List, fetch and verify model files."),
    "prompts": ("assistant.cli.prompts:prompts", "List, show, render and check prompts."),
    "plugins": ("assistant.cli.plugins:plugins", "List the implementations of every stage."),
    "config": ("assistant.cli.config:config", "Show every setting and where it came from."),
    "bench": ("assistant.cli.bench:bench", "Measure speed on this machine."),
    "train": ("assistant.cli.train:train", "Train a detector or a narrator."),
    "eval": ("assistant.cli.eval:eval_", "Evaluate detectors, maps and explanations."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to run it or show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module behind a name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a typed error ends it in two plain lines and exit code 1."""
        try:
            return super().invoke(ctx)
        except AssistantError as error:
            if ctx.meta.get("whyfake.verbose"):
                logging.getLogger(__name__).exception("The command failed")
            click.echo(f"Error: {error.user_message}", err=True)
            if error.hint:
                click.echo(error.hint, err=True)
            ctx.exit(1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="whyfake")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file (TOML); default: whyfake.toml here, then the user's own.",
)
@click.option(
    "--profile", type=click.Choice(["embedded", "full"]), help="Which set of models to use."
)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Model files.")
@click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any setting: vlm_backend=template"
)
@click.option(
    "--accept-unpinned", is_flag=True, help="Load files whose SHA-256 was never published."
)
@click.option("-v", "--verbose", is_flag=True, help="Log what goes on, to stderr.")
@click.pass_context
def main(
    context: click.Context,
    config_file: Path | None,
    profile: str | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
    accept_unpinned: bool,
    verbose: bool,
) -> None:
    """Whyfake: is this face manipulated, why does it look so, and how sure is that?

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no face.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        stream=sys.stderr,
        format="%(levelname)s %(name)s: %(message)s",
    )
    # What the commands hand to load_settings(**context.obj).
    overrides: dict[str, Any] = {"config_file": config_file, "profile": profile}
    overrides["data_dir"] = data_dir
    overrides["accept_unpinned"] = True if accept_unpinned else None
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise click.UsageError(f"--set {pair!r}: expected KEY=VALUE, such as vlm.model=PATH.")
        overrides[key.strip()] = value
    context.obj = {key: value for key, value in overrides.items() if value is not None}
    context.meta["whyfake.verbose"] = verbose


if __name__ == "__main__":
    main()
