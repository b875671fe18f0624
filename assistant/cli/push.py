"""``whyfake cases push``: a case to another program's moderators."""

from __future__ import annotations

import os

import click

from assistant.cli.declare import argument, command, option
from assistant.cli.options import opened_store

__all__ = ["push"]


@click.group()
def push() -> None:
    """Push a case to Ozone or Coop; nothing is decided there by it."""


@command(of=push)
def ozone(
    context: click.Context,
    case_id: str = argument(),
    subject: str = option("at://DID/COLLECTION/KEY, or a DID.", required=True),
    cid: str = option("Of the record; left out for an account.", "", show_default=False),
    url: str = option("Address of the account's server.", required=True),
    service: str = option("DID of the Ozone service.", required=True),
    handle: str = option("Of a moderator account.", required=True),
    report_url: str = option("Where a moderator finds the case.", "", show_default=False),
) -> None:
    """Write a tag, a priority and a sticky comment.

    The account's app password is in WHYFAKE_OZONE_PASSWORD.
    """
    from assistant.integrations.ozone import Ozone, Subject

    about = Subject(uri=subject, cid=cid)
    with opened_store(context) as store:
        case = store.get(store.find(case_id))
    password = os.environ.get("WHYFAKE_OZONE_PASSWORD", "")
    there = Ozone.log_in(url, service, handle, password)
    for event in there.push(case.record, case.row.id, about, report_url=report_url):
        click.echo(event)


@command(of=push)
def coop(
    context: click.Context,
    case_id: str = argument(),
    url: str = option("Coop's address.", required=True),
    item: str = option("The item's id there.", required=True),
    type_id: str = option("The item type's id there.", name="--type", required=True),
    report_url: str = option("Where a reviewer finds the case.", "", show_default=False),
) -> None:
    """Send an item with verdict, score and explanation; the key is in WHYFAKE_COOP_KEY."""
    import httpx

    from assistant.integrations.coop import item_of, push_item

    with opened_store(context) as store:
        case = store.get(store.find(case_id))
    made = item_of(case.record, case.row.id, item_id=item, type_id=type_id, report_url=report_url)
    with httpx.Client(timeout=30) as client:
        push_item(client, url, os.environ.get("WHYFAKE_COOP_KEY", ""), made)
    click.echo("sent")
