"""``whyfake cases``: keep an analysis as a case, decide it, report it, check the log."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import json_option, opened_store, out_option, settings_of
from assistant.cli.push import push

if TYPE_CHECKING:
    from assistant.cases.log import Anchor
    from assistant.cases.reader import CaseRow

__all__ = ["cases"]

_actor = click.option(
    "--by", "actor", default=getpass.getuser, show_default="the user's login", help="Who does it."
)
_reason = click.option("--reason", required=True, help="Why, in a sentence.")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def cases() -> None:
    """Case files: analyses kept with their evidence, decisions and a chained log."""


cases.add_command(push)


@cases.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--source", default="", show_default=False, help="Where the files came from, for statistics."
)
@click.option("--subject", default="", show_default=False, help="Your own name of the item.")
@click.option("--keep-picture", is_flag=True, help="Keep the picture too, sealed with the key.")
@click.option(
    "--truth",
    type=click.Choice(["manipulated", "untouched"]),
    help="Makes it a golden case: its answer is known, and people's decisions are measured by it.",
)
@click.option("--no-explain", is_flag=True, help="Leave out the written explanation.")
@_actor
@click.pass_context
def add(
    context: click.Context,
    paths: tuple[Path, ...],
    source: str,
    subject: str,
    keep_picture: bool,
    truth: str | None,
    no_explain: bool,
    actor: str,
) -> None:
    """Analyse PATHS and keep each as a case; prints the ids."""
    from assistant.cases.keeping import keep
    from assistant.compose import build

    settings = settings_of(context)
    with (
        opened_store(context, key=keep_picture) as store,
        contextlib.closing(build(settings)) as assistant,
    ):
        for path in paths:
            case_id = keep(
                store,
                assistant,
                settings,
                path.read_bytes(),
                actor=actor,
                source=source,
                subject=subject or path.name,
                truth=truth,
                keep_picture=keep_picture,
                explain=not no_explain,
            )
            click.echo(case_id)


@cases.command("list")
@click.option("--state", help="open, escalated, confirmed, rejected or appealed.")
@click.option("--source", help="Where the files came from.")
@click.option("--verdict", help="For example likely_manipulated.")
@click.option("--least", type=click.FloatRange(0, 1), help="Lowest probability.")
@click.option("--since", help="UTC, for example 2026-11-01.")
@click.option("--until", help="UTC, for example 2026-12-01.")
@click.option("--near", metavar="ID", help="Only cases of nearly the same picture.")
@click.option("--limit", type=click.IntRange(1), default=50)
@json_option("Print one JSON object a case.")
@click.pass_context
def list_(
    context: click.Context, /, near: str | None, limit: int, as_json: bool, **wanted: Any
) -> None:
    """List cases, the newest first."""
    from assistant.cases.store import CaseFilter

    with opened_store(context) as store:
        rows = (
            [row for row, _ in store.near(store.find(near), limit=limit)]
            if near
            else store.list(CaseFilter(**wanted), limit=limit)
        )
    for row in rows:
        click.echo(json.dumps(dataclasses.asdict(row)) if as_json else _line(row))


@cases.command()
@click.argument("case_id")
@json_option("Print the case as JSON, after assistant/schema/case-1.json.")
@click.pass_context
def show(context: click.Context, case_id: str, as_json: bool) -> None:
    """Show one case: what was found, who decided what, hashes."""
    from assistant.cases.pages import case_json
    from assistant.cases.sections import sections, title

    with opened_store(context) as store:
        case = store.get(store.find(case_id))
        anchor = store.anchor()
    if as_json:
        click.echo(json.dumps(case_json(case, anchor), ensure_ascii=False))
        return
    click.echo(title(case))
    for section in sections(case, anchor):
        click.echo(f"\n{section.heading}")
        for line in section.paragraphs:
            click.echo(f"  {line}")
        for cells in section.table[1:]:
            click.echo("  " + "  ".join(cells))


@cases.command()
@click.option("--anchor", type=_FILE, help="An anchor kept elsewhere; the log must contain it.")
@click.option("--repair-guards", is_flag=True, help="Put back guards that were removed.")
@click.pass_context
def verify(context: click.Context, anchor: Path | None, repair_guards: bool) -> None:
    """Check the whole log and everything it seals; exit code 1 if something does not hold."""
    with opened_store(context, check_guards=False) as store:
        found = store.verify(_anchor_of(anchor) if anchor else None)
        if repair_guards:
            from assistant.cases.database import repair

            repair(store.engine, actor=getpass.getuser())
    for problem in found.problems:
        click.echo(problem)
    if found.broken is not None:
        click.echo(f"The first broken entry is {found.broken}.")
    if not found.whole:
        context.exit(1)
    click.echo(f"The log is whole: {found.entries} entries.")


@cases.command()
@out_option("Write the anchor here, as JSON; keep the file on another machine.")
@click.pass_context
def anchor(context: click.Context, out: Path | None) -> None:
    """Export the latest entry's hash: a later `verify --anchor` finds an exchanged log."""
    with opened_store(context) as store:
        found = store.anchor()
    text = json.dumps(dataclasses.asdict(found) if found else None)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


@cases.command()
@click.argument("case_id")
@json_option()
@click.pass_context
def replay(context: click.Context, case_id: str, as_json: bool) -> None:
    """Compute a case anew from its kept picture; exit code 1 where the result is another."""
    from assistant.cases.replay import replay as compute
    from assistant.compose import build

    settings = settings_of(context)
    with opened_store(context, key=True) as store:
        case = store.get(store.find(case_id))
        data = store.picture(case.row.id)
    with contextlib.closing(build(settings)) as assistant:
        found = compute(case, data, assistant, settings)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), ensure_ascii=False))
    else:
        click.echo(f"The same bit for bit: {', '.join(found.same) or 'nothing'}.")
        for place, (then, now) in found.differences.items():
            click.echo(f"{place}: {then!r} then, {now!r} now")
        for name, (then, now) in found.reasons.items():
            click.echo(f"Another {name}: {then} then, {now} now.")
    if not found.identical:
        context.exit(1)


@cases.command()
@click.argument("case_id")
@click.argument("outcome", type=click.Choice(["confirm", "reject", "escalate"]))
@click.option("--opinion", is_flag=True, help="A second opinion, which changes no state.")
@_reason
@_actor
@click.pass_context
def decide(
    context: click.Context, case_id: str, outcome: str, opinion: bool, reason: str, actor: str
) -> None:
    """Decide a case: is it manipulated (confirm), or not (reject)?"""
    kind = "opinion" if opinion else "decision"
    with opened_store(context) as store:
        state = store.decide(
            store.find(case_id), actor=actor, outcome=outcome, reason=reason, kind=kind
        )
    click.echo(state)


@cases.command()
@click.argument("case_id")
@_reason
@_actor
@click.pass_context
def appeal(context: click.Context, case_id: str, reason: str, actor: str) -> None:
    """Open a decided case again; whoever decided it cannot decide the appeal."""
    with opened_store(context) as store:
        store.appeal(store.find(case_id), actor=actor, reason=reason)
    click.echo("appealed")


@cases.command()
@click.argument("case_id")
@click.argument("text")
@_actor
@click.pass_context
def note(context: click.Context, case_id: str, text: str, actor: str) -> None:
    """Add a note to a case."""
    with opened_store(context) as store:
        store.note(store.find(case_id), actor=actor, text=text)


@cases.command()
@click.argument("case_id")
@click.option("--format", "kind", type=click.Choice(["html", "pdf", "json", "dsa"]), default="html")
@click.option("--out", type=_FILE, required=True, help="The file to write.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field of dsa.")
@click.pass_context
def export(
    context: click.Context, case_id: str, kind: str, out: Path, fields: tuple[str, ...]
) -> None:
    """Write a case's report; dsa drafts a statement of reasons, which is never sent."""
    from assistant.cases.exporting import exported

    with opened_store(context, key=True) as store:
        data = exported(store, store.find(case_id), kind, _pairs(fields))
    out.write_bytes(data)
    click.echo(f"Wrote {out}: {len(data):,} bytes.")


@cases.command()
@click.pass_context
def stats(context: click.Context) -> None:
    """Print agreement between people, golden cases and false alarms by source, as JSON."""
    from assistant.cases.statistics import as_json

    with opened_store(context) as store:
        click.echo(json.dumps(as_json(store.engine), indent=1))


@cases.command()
@click.pass_context
def purge(context: click.Context) -> None:
    """Remove the kept pictures whose time has passed."""
    with opened_store(context) as store:
        click.echo(f"Pictures of {store.purge()} cases were removed.")


@cases.command()
def key() -> None:
    """Print a new random key for cases.key_file or its variable."""
    from assistant.cases.vault import new_key

    click.echo(new_key())


def _anchor_of(path: Path) -> Anchor:
    from assistant.cases.log import Anchor
    from assistant.errors import CaseError

    try:
        return Anchor(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CaseError(
            f"{path} is no anchor.", hint="`whyfake cases anchor --out FILE` writes one."
        ) from error


def _pairs(fields: tuple[str, ...]) -> dict[str, Any]:
    """``NAME=VALUE``; a name that is given twice makes a list."""
    found: dict[str, list[str]] = {}
    for field in fields:
        name, sign, value = field.partition("=")
        if not sign:
            raise click.UsageError(f"--field {field!r}: expected NAME=VALUE.")
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _line(row: CaseRow) -> str:
    score = "    -" if row.probability is None else f"{row.probability:5.0%}"
    return (
        f"{row.id}  {row.created_at[:19]}  {row.state:9}  {score}  "
        f"{row.verdict or row.status:20}  {row.source or '-':12}  {row.subject}"
    )
