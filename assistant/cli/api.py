"""``whyfake api``: serve the HTTP API; keep its keys and who may log in to the case page."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path

import click

from assistant.cli.options import opened_store, settings_of
from assistant.cli.port import check_port

__all__ = ["api"]

_password = click.password_option(
    help="Asked for where it is not given; a command line can be read by others."
)


@click.group()
def api() -> None:
    """The HTTP API and the case page (docs/api.md)."""


@api.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8090)
@click.option(
    "--root-path",
    default="",
    show_default=False,
    metavar="PATH",
    help="Path under which a proxy offers the API, such as /whyfake-api (docs/deployment.md).",
)
@click.option(
    "--webhook",
    help="Tell this address of cases; its secret (whsec_...) is in WHYFAKE_WEBHOOK_SECRET.",
)
@click.option(
    "--coop-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Coop's public key (PEM): take its callbacks.",
)
@click.option("--demo-fakes", is_flag=True, hidden=True, help="Serve the fakes, for tests.")
@click.pass_context
def serve(
    context: click.Context,
    host: str,
    port: int,
    root_path: str,
    webhook: str | None,
    coop_key: Path | None,
    demo_fakes: bool,
) -> None:
    """Serve the API; by default only this machine reaches it."""
    from assistant.cases.extras import need

    need("api", "fastapi", "uvicorn", "limits", "prometheus_client", "multipart", "pwdlib")
    check_port(host, port, example="whyfake api serve")
    import uvicorn

    from assistant.api.app import create_api
    from assistant.media import read_path

    settings = settings_of(context)
    with opened_store(context, key=True) as store:
        webhooks = coop = None
        if webhook:
            from assistant.integrations.webhooks import Webhooks

            secret = os.environ.get("WHYFAKE_WEBHOOK_SECRET", "")
            webhooks = Webhooks(store.engine, webhook, secret)
        if coop_key:
            from assistant.integrations.coop import CaseCallbacks

            coop = CaseCallbacks(store, read_path(coop_key))
        if demo_fakes:
            from assistant.fakes import demo_assistant

            assistant = demo_assistant()
        else:
            from assistant.compose import build

            assistant = build(settings)
        click.echo(f"The API listens on http://{host}:{port}, the case page is /desk", err=True)
        try:
            app = create_api(store, assistant, settings, webhooks=webhooks, coop=coop)
            uvicorn.run(
                app,
                host=host,
                port=port,
                root_path=root_path.rstrip("/"),
                access_log=False,
                log_level="warning",
            )
        finally:
            assistant.close()


@api.group()
def keys() -> None:
    """Keys of the API."""


@keys.command()
@click.argument("owner")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=("analyze", "read", "ask"),
    help="analyze, read, ask, decide or metrics; several times.",
)
@click.option("--per-minute", type=click.IntRange(1, 100_000), default=60)
@click.pass_context
def make(context: click.Context, owner: str, scopes: tuple[str, ...], per_minute: int) -> None:
    """Print a new key for OWNER, the person that its decisions are by. It is shown once."""
    from assistant.api.keys import make_key

    with opened_store(context) as store:
        click.echo(make_key(store.engine, owner=owner, scopes=list(scopes), per_minute=per_minute))


@keys.command("list")
@click.pass_context
def list_(context: click.Context) -> None:
    """List all keys, one JSON object a line; no key's text is known."""
    from assistant.api.keys import all_keys

    with opened_store(context) as store:
        for row in all_keys(store.engine):
            click.echo(json.dumps(row))


@keys.command()
@click.argument("key_id")
@click.pass_context
def revoke(context: click.Context, key_id: str) -> None:
    """End a key at once."""
    from assistant.api.keys import revoke_key

    with opened_store(context) as store:
        revoke_key(store.engine, key_id, actor=getpass.getuser())
    click.echo("revoked")


@api.command("webhooks")
@click.option("--again", is_flag=True, help="Put them back in the queue.")
@click.pass_context
def webhooks_(context: click.Context, again: bool) -> None:
    """List the webhooks that were given up, one JSON object a line."""
    from assistant.integrations.webhooks import dead_letters, try_again

    with opened_store(context) as store:
        for row in dead_letters(store.engine):
            click.echo(json.dumps(row))
        if again:
            click.echo(f"{try_again(store.engine)} put back.", err=True)


@api.group()
def people() -> None:
    """People of the case page: viewer, moderator, reviewer or admin."""


@people.command()
@click.argument("name")
@click.option("--role", default="moderator")
@_password
@click.pass_context
def add(context: click.Context, name: str, role: str, password: str) -> None:
    """Let NAME log in."""
    from assistant.api.people import add_person

    with opened_store(context) as store:
        add_person(store.engine, name, role, password, actor=getpass.getuser())
    click.echo("added")


@people.command()
@click.argument("name")
@click.argument("new_role", metavar="ROLE")
@click.pass_context
def role(context: click.Context, name: str, new_role: str) -> None:
    """Give NAME another role; every session of that person ends."""
    from assistant.api.people import change_role

    with opened_store(context) as store:
        change_role(store.engine, name, new_role, actor=getpass.getuser())
    click.echo(new_role)


@people.command()
@click.argument("name")
@_password
@click.pass_context
def password(context: click.Context, name: str, password: str) -> None:
    """Set another password; every session of that person ends."""
    from assistant.api.people import change_password

    with opened_store(context) as store:
        change_password(store.engine, name, password, actor=getpass.getuser())
    click.echo("changed")


@people.command()
@click.argument("name")
@click.pass_context
def end(context: click.Context, name: str) -> None:
    """Let NAME log in no more."""
    from assistant.api.people import end_person

    with opened_store(context) as store:
        end_person(store.engine, name, actor=getpass.getuser())
    click.echo("ended")


@people.command("list")
@click.pass_context
def list_people(context: click.Context) -> None:
    """List everybody, one JSON object a line."""
    from assistant.api.people import all_people

    with opened_store(context) as store:
        for row in all_people(store.engine):
            click.echo(json.dumps(row))
