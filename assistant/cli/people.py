"""``whyfake api people``: who may log in to the case page."""

from __future__ import annotations

import contextlib
import getpass
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from assistant.cli.options import settings_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["people"]

_password = click.password_option(
    help="Asked for where it is not given; a command line can be read by others."
)


@click.group()
def people() -> None:
    """People of the case page: viewer, moderator, reviewer or admin."""


@people.command()
@click.argument("name")
@click.option("--role", default="moderator", show_default=True)
@_password
@click.pass_context
def add(context: click.Context, name: str, role: str, password: str) -> None:
    """Let NAME log in."""
    from assistant.api.people import add_person

    with _engine(context) as engine:
        add_person(engine, name, role, password, actor=getpass.getuser())
    click.echo("added")


@people.command()
@click.argument("name")
@click.argument("new_role", metavar="ROLE")
@click.pass_context
def role(context: click.Context, name: str, new_role: str) -> None:
    """Give NAME another role; every session of that person ends."""
    from assistant.api.people import change_role

    with _engine(context) as engine:
        change_role(engine, name, new_role, actor=getpass.getuser())
    click.echo(new_role)


@people.command()
@click.argument("name")
@_password
@click.pass_context
def password(context: click.Context, name: str, password: str) -> None:
    """Set another password; every session of that person ends."""
    from assistant.api.people import change_password

    with _engine(context) as engine:
        change_password(engine, name, password, actor=getpass.getuser())
    click.echo("changed")


@people.command()
@click.argument("name")
@click.pass_context
def end(context: click.Context, name: str) -> None:
    """Let NAME log in no more."""
    from assistant.api.people import end_person

    with _engine(context) as engine:
        end_person(engine, name, actor=getpass.getuser())
    click.echo("ended")


@people.command("list")
@click.pass_context
def list_(context: click.Context) -> None:
    """List everybody, one JSON object a line."""
    from assistant.api.people import all_people

    with _engine(context) as engine:
        for row in all_people(engine):
            click.echo(json.dumps(row))


@contextlib.contextmanager
def _engine(context: click.Context) -> Iterator[Engine]:
    from assistant.cases.opening import open_store

    with contextlib.closing(open_store(settings_of(context), key=False)) as store:
        yield store.engine
