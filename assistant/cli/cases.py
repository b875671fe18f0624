"""``whyfake cases``: keep an analysis as a case, decide it, report it, check the log."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.declare import EXISTING, argument, command, option
from assistant.cli.options import json_option, opened_store, out_option, settings_of
from assistant.cli.push import push

if TYPE_CHECKING:
    from assistant.cases.log import Anchor
    from assistant.cases.reader import CaseRow

__all__ = ["cases"]

_actor = option("Who does it.", getpass.getuser, name="--by", show_default="the user's login")
_reason = option("Why, in a sentence.", required=True)


@click.group()
def cases() -> None:
    """Case files: analyses kept with their evidence, decisions and a chained log."""


cases.add_command(push)


@command(of=cases)
def add(
    context: click.Context,
    paths: tuple[Path, ...] = argument(required=True, type=EXISTING),
    source: str = option("Where the files came from, for statistics.", "", show_default=False),
    subject: str = option("Your own name of the item.", "", show_default=False),
    keep_picture: bool = option("Keep the picture too, sealed with the key."),
    truth: str | None = option(
        "Makes it a golden case: its answer is known, and people's decisions are measured by it.",
        type=click.Choice(["manipulated", "untouched"]),
    ),
    no_explain: bool = option("Leave out the written explanation."),
    actor: str = _actor,
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


@command("list", of=cases)
def list_(
    context: click.Context,
    state: str | None = option("open, escalated, confirmed, rejected or appealed."),
    source: str | None = option("Where the files came from."),
    verdict: str | None = option("For example likely_manipulated."),
    least: float | None = option("Lowest probability.", least=0, most=1),
    since: str | None = option("UTC, for example 2026-11-01."),
    until: str | None = option("UTC, for example 2026-12-01."),
    near: str | None = option("Only cases of nearly the same picture.", metavar="ID"),
    limit: int = option(default=50, least=1),
    as_json: bool = json_option("Print one JSON object a case."),
) -> None:
    """List cases, the newest first."""
    from assistant.cases.store import CaseFilter

    wanted = CaseFilter(
        state=state, source=source, verdict=verdict, least=least, since=since, until=until
    )
    with opened_store(context) as store:
        rows = (
            [row for row, _ in store.near(store.find(near), limit=limit)]
            if near
            else store.list(wanted, limit=limit)
        )
    for row in rows:
        click.echo(json.dumps(dataclasses.asdict(row)) if as_json else _line(row))


@command(of=cases)
def show(
    context: click.Context,
    case_id: str = argument(),
    as_json: bool = json_option("Print the case as JSON, after assistant/schema/case-1.json."),
) -> None:
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


@command(of=cases)
def verify(
    context: click.Context,
    anchor: Path | None = option("An anchor kept elsewhere; the log must contain it."),
    repair_guards: bool = option("Put back guards that were removed."),
) -> None:
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


@command(of=cases)
def anchor(
    context: click.Context,
    out: Path | None = out_option(
        "Write the anchor here, as JSON; keep the file on another machine."
    ),
) -> None:
    """Export the latest entry's hash: a later `verify --anchor` finds an exchanged log."""
    with opened_store(context) as store:
        found = store.anchor()
    text = json.dumps(dataclasses.asdict(found) if found else None)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


@command(of=cases)
def replay(
    context: click.Context, case_id: str = argument(), as_json: bool = json_option()
) -> None:
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


@command(of=cases)
def decide(
    context: click.Context,
    case_id: str = argument(),
    outcome: str = argument(type=click.Choice(["confirm", "reject", "escalate"])),
    opinion: bool = option("A second opinion, which changes no state."),
    reason: str = _reason,
    actor: str = _actor,
) -> None:
    """Decide a case: is it manipulated (confirm), or not (reject)?"""
    kind = "opinion" if opinion else "decision"
    with opened_store(context) as store:
        state = store.decide(
            store.find(case_id), actor=actor, outcome=outcome, reason=reason, kind=kind
        )
    click.echo(state)


@command(of=cases)
def appeal(
    context: click.Context, case_id: str = argument(), reason: str = _reason, actor: str = _actor
) -> None:
    """Open a decided case again; whoever decided it cannot decide the appeal."""
    with opened_store(context) as store:
        store.appeal(store.find(case_id), actor=actor, reason=reason)
    click.echo("appealed")


@command(of=cases)
def note(
    context: click.Context, case_id: str = argument(), text: str = argument(), actor: str = _actor
) -> None:
    """Add a note to a case."""
    with opened_store(context) as store:
        store.note(store.find(case_id), actor=actor, text=text)


@command(of=cases)
def export(
    context: click.Context,
    case_id: str = argument(),
    kind: str = option(
        default="html", name="--format", type=click.Choice(["html", "pdf", "json", "dsa"])
    ),
    out: Path = option("The file to write.", required=True),
    fields: tuple[str, ...] = option("A field of dsa.", name="--field", metavar="NAME=VALUE"),
) -> None:
    """Write a case's report; dsa drafts a statement of reasons, which is never sent."""
    from assistant.cases.pages import exported

    with opened_store(context, key=True) as store:
        data = exported(store, store.find(case_id), kind, _pairs(fields))
    out.write_bytes(data)
    click.echo(f"Wrote {out}: {len(data):,} bytes.")


@command(of=cases)
def stats(context: click.Context) -> None:
    """Print agreement between people, golden cases and false alarms by source, as JSON."""
    from assistant.cases.statistics import as_json

    with opened_store(context) as store:
        click.echo(json.dumps(as_json(store.engine), indent=1))


@command(of=cases)
def purge(context: click.Context) -> None:
    """Remove the kept pictures whose time has passed."""
    with opened_store(context) as store:
        click.echo(f"Pictures of {store.purge()} cases were removed.")


@command(of=cases)
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
