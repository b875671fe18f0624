"""``whyfake api``: serve the HTTP API; keep its keys and who may log in to the case page."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path

import click

from assistant.cli.declare import argument, command, option
from assistant.cli.options import opened_store, settings_of
from assistant.cli.port import check_port

__all__ = ["api"]

_password = option(
    "Asked for where it is not given; a command line can be read by others.",
    prompt=True,
    confirmation_prompt=True,
    hide_input=True,
)


@click.group()
def api() -> None:
    """The HTTP API and the case page (docs/api.md)."""


@command(of=api)
def serve(
    context: click.Context,
    host: str = option("Address to listen on.", "127.0.0.1"),
    port: int = option(default=8090, least=1, most=65535),
    root_path: str = option(
        "Path under which a proxy offers the API, such as /whyfake-api (docs/deployment.md).",
        "",
        show_default=False,
        metavar="PATH",
    ),
    webhook: str | None = option(
        "Tell this address of cases; its secret (whsec_...) is in WHYFAKE_WEBHOOK_SECRET."
    ),
    coop_key: Path | None = option("Coop's public key (PEM): take its callbacks."),
    demo_fakes: bool = option("Serve the fakes, for tests.", hidden=True),
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


@command(of=keys)
def make(
    context: click.Context,
    owner: str = argument(),
    scopes: tuple[str, ...] = option(
        "analyze, read, ask, decide or metrics; several times.",
        ("analyze", "read", "ask"),
        name="--scope",
    ),
    per_minute: int = option(default=60, least=1, most=100_000),
) -> None:
    """Print a new key for OWNER, the person that its decisions are by. It is shown once."""
    from assistant.api.keys import make_key

    with opened_store(context) as store:
        click.echo(make_key(store.engine, owner=owner, scopes=list(scopes), per_minute=per_minute))


@command("list", of=keys)
def list_(context: click.Context) -> None:
    """List all keys, one JSON object a line; no key's text is known."""
    from assistant.api.keys import all_keys

    with opened_store(context) as store:
        for row in all_keys(store.engine):
            click.echo(json.dumps(row))


@command(of=keys)
def revoke(context: click.Context, key_id: str = argument()) -> None:
    """End a key at once."""
    from assistant.api.keys import revoke_key

    with opened_store(context) as store:
        revoke_key(store.engine, key_id, actor=getpass.getuser())
    click.echo("revoked")


@command("webhooks", of=api)
def webhooks_(context: click.Context, again: bool = option("Put them back in the queue.")) -> None:
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


@command(of=people)
def add(
    context: click.Context,
    name: str = argument(),
    role: str = option(default="moderator"),
    password: str = _password,
) -> None:
    """Let NAME log in."""
    from assistant.api.people import add_person

    with opened_store(context) as store:
        add_person(store.engine, name, role, password, actor=getpass.getuser())
    click.echo("added")


@command(of=people)
def role(
    context: click.Context, name: str = argument(), new_role: str = argument(metavar="ROLE")
) -> None:
    """Give NAME another role; every session of that person ends."""
    from assistant.api.people import change_role

    with opened_store(context) as store:
        change_role(store.engine, name, new_role, actor=getpass.getuser())
    click.echo(new_role)


@command(of=people)
def password(context: click.Context, name: str = argument(), password: str = _password) -> None:
    """Set another password; every session of that person ends."""
    from assistant.api.people import change_password

    with opened_store(context) as store:
        change_password(store.engine, name, password, actor=getpass.getuser())
    click.echo("changed")


@command(of=people)
def end(context: click.Context, name: str = argument()) -> None:
    """Let NAME log in no more."""
    from assistant.api.people import end_person

    with opened_store(context) as store:
        end_person(store.engine, name, actor=getpass.getuser())
    click.echo("ended")


@command("list", of=people)
def list_people(context: click.Context) -> None:
    """List everybody, one JSON object a line."""
    from assistant.api.people import all_people

    with opened_store(context) as store:
        for row in all_people(store.engine):
            click.echo(json.dumps(row))
