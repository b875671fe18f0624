"""``whyfake serve``: the chat page on this machine."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from assistant.cli.declare import command, option
from assistant.cli.options import DETECTOR, DETECTOR_FILE, settings_of
from assistant.cli.port import check_port
from assistant.errors import ConfigError

__all__ = ["serve"]


@command()
def serve(
    context: click.Context,
    host: str | None = option("Address to listen on (default: this machine only)."),
    port: int | None = option("Port to listen on.", least=1, most=65535),
    root_path: str | None = option(
        "Path under which a proxy offers the page, such as /whyfake (docs/deployment.md).",
        metavar="PATH",
    ),
    vlm: str | None = option("Text backend, for example template or llama-cpp."),
    detector: str | None = DETECTOR,
    weights: Path | None = DETECTOR_FILE,
    mcp: bool = option("Also offer the page's tools to MCP clients."),
    demo_fakes: bool = option("Serve the fakes, for tests.", hidden=True),
) -> None:
    """Start the chat page and print its address; by default only this machine reaches it."""
    settings = settings_of(
        context,
        vlm_backend=vlm,
        server_root_path=root_path,
        detector=detector,
        detector_weights=weights,
    )
    where = host or settings.server_host
    at = port or settings.server_port
    check_port(where, at, example="whyfake serve")
    click.echo("Loading the models ...", err=True)
    if demo_fakes:
        from assistant.fakes import demo_assistant

        assistant = demo_assistant()
    else:
        from assistant.compose import build

        assistant = build(settings)
    from assistant.ui import create_app, launch_options

    app = create_app(assistant, mcp=mcp)
    try:
        app.queue(default_concurrency_limit=2, max_size=32)
        with contextlib.redirect_stdout(sys.stderr):  # what Gradio itself says of MCP
            _, address, _ = app.launch(
                server_name=where,
                server_port=at,
                root_path=settings.server_root_path or None,  # None: as GRADIO_ROOT_PATH says
                share=False,
                quiet=True,
                prevent_thread_lock=True,
                mcp_server=mcp,
                **launch_options(assistant),
            )
    except OSError as error:
        assistant.close()
        raise ConfigError(
            f"The page cannot listen on {where}:{at}.",
            hint=f"Another program may use the port; try `whyfake serve --port {at + 1}`.",
        ) from error
    click.echo(f"Whyfake is ready on {address}")
    if mcp:
        click.echo(f"MCP clients (streamable HTTP): {address.rstrip('/')}/gradio_api/mcp/")
    click.echo("Press Ctrl+C to stop.", err=True)
    try:
        app.block_thread()
    finally:
        assistant.close()
