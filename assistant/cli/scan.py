"""``whyfake scan``: many files into one table."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.options import settings_of
from assistant.cli.progress import time_left

if TYPE_CHECKING:
    from assistant.scan.local import Progress

__all__ = ["scan"]

_EVERY = 2.0


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("results.parquet"),
    show_default=True,
    help="The table; errors, summary and state are written beside it.",
)
@click.pass_context
def scan(context: click.Context, target: Path, out: Path) -> None:
    """Score every file of TARGET: a folder, a CSV with a column path, or a list of paths.

    The same command again goes on where the last one ended. Contents that are the same are
    analysed once. Exit code 0, also where files were refused: those are in a table of their own.
    """
    from assistant.cases.extras import need
    from assistant.cases.record import settings_digest
    from assistant.compose import build
    from assistant.scan.items import list_items
    from assistant.scan.ledger import Ledger
    from assistant.scan.local import scan as run
    from assistant.scan.tables import write_page, write_tables

    need("cases", "pyarrow", "jinja2", "sqlalchemy")
    if out.suffix != ".parquet":
        raise click.UsageError(f"--out {out}: the table is Parquet, name it something.parquet.")
    if not out.resolve().parent.is_dir():
        raise click.UsageError(f"--out {out}: the folder does not exist.")
    paths = list(list_items(target))
    settings = settings_of(context)
    assistant = build(settings)
    about = {**assistant.versions, "settings_sha256": settings_digest(settings)}
    try:
        with contextlib.closing(Ledger(out.with_suffix(".scan"), about)) as ledger:
            last = run(paths, ledger, assistant, tell=_teller())
            table, errors = write_tables(ledger, out)
            page = write_page(ledger, out.with_suffix(".html"))
    finally:
        assistant.close()
    click.echo(_line(last), err=True)
    click.echo(f"Wrote {table}, {errors} and {page}.")


def _teller() -> Callable[[Progress], None]:
    """Tells every two seconds."""
    told = [0.0]

    def tell(progress: Progress) -> None:
        if time.monotonic() - told[0] >= _EVERY:
            told[0] = time.monotonic()
            click.echo(_line(progress), err=True)

    return tell


def _line(progress: Progress) -> str:
    left = f", {time_left(progress.seconds_left)}" if progress.seconds_left else ""
    return (
        f"{progress.done:,} of {progress.total:,} files{left}; in this run {progress.analysed:,} "
        f"analysed, {progress.same:,} the same as others, {progress.refused:,} refused"
    )
