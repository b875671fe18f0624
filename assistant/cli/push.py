"""``whyfake cases push``: a case to another program's moderators."""

from __future__ import annotations

import os

import click

from assistant.cli.options import opened_store

__all__ = ["push"]


@click.group()
def push() -> None:
    """Push a case to Ozone or Coop; nothing is decided there by it."""


@push.command()
@click.argument("case_id")
@click.option("--subject", required=True, help="at://DID/COLLECTION/KEY, or a DID.")
@click.option(
    "--cid", default="", show_default=False, help="Of the record; left out for an account."
)
@click.option("--url", required=True, help="Address of the account's server.")
@click.option("--service", required=True, help="DID of the Ozone service.")
@click.option("--handle", required=True, help="Of a moderator account.")
@click.option(
    "--report-url", default="", show_default=False, help="Where a moderator finds the case."
)
@click.pass_context
def ozone(
    context: click.Context,
    case_id: str,
    subject: str,
    cid: str,
    url: str,
    service: str,
    handle: str,
    report_url: str,
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


@push.command()
@click.argument("case_id")
@click.option("--url", required=True, help="Coop's address.")
@click.option("--item", required=True, help="The item's id there.")
@click.option("--type", "type_id", required=True, help="The item type's id there.")
@click.option(
    "--report-url", default="", show_default=False, help="Where a reviewer finds the case."
)
@click.pass_context
def coop(
    context: click.Context, case_id: str, url: str, item: str, type_id: str, report_url: str
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
