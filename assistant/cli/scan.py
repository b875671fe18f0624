"""``whyfake scan``: many files into one table."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.declare import argument, command, option
from assistant.cli.options import settings_of

if TYPE_CHECKING:
    from assistant.scan.ledger import Ledger
    from assistant.scan.local import Progress
    from assistant.scan.stage import Examiner
    from assistant.settings import Settings

__all__ = ["scan"]

_EVERY = 2.0


@command()
def scan(
    context: click.Context,
    target: str = argument(),
    out: Path = option(
        "The table; errors, summary and state are written beside it.", Path("results.parquet")
    ),
    engine: str = option(
        "ray: on the machines of RAY_ADDRESS, or on this one where it is not set.",
        "local",
        type=click.Choice(["local", "ray"]),
    ),
    workers: int | None = option(
        "Threads that read files and find faces, one a core if not given; with ray, processes "
        "that do all of it, one a machine if not given.",
        least=1,
        most=1024,
    ),
) -> None:
    """Score every file of TARGET.

    TARGET is a folder, a CSV with a column path, a list of paths, or an address that fsspec knows
    (s3://bucket/folder). The same command again goes on where the last one ended. Contents that
    are the same are analysed once. Exit code 0, also where files were refused: those are in a
    table of their own.
    """
    from assistant.cases.extras import need
    from assistant.scan.items import list_items
    from assistant.scan.ledger import Ledger
    from assistant.scan.stage import build_examiner
    from assistant.scan.tables import write_page, write_tables

    need("cases", "pyarrow", "jinja2", "sqlalchemy")
    if out.suffix != ".parquet":
        raise click.UsageError(f"--out {out}: the table is Parquet, name it something.parquet.")
    if not out.resolve().parent.is_dir():
        raise click.UsageError(f"--out {out}: the folder does not exist.")
    settings = settings_of(context)
    found = list_items(target)
    examiner = build_examiner(settings)
    with contextlib.closing(Ledger(out.with_suffix(".scan"), examiner.versions)) as ledger:
        ledger.expect(found)
        last = _run(engine, ledger, examiner, settings, workers)
        table, errors = write_tables(ledger, out)
        page = write_page(ledger, out.with_suffix(".html"))
    click.echo(_line(last), err=True)
    click.echo(f"Wrote {table}, {errors} and {page}.")


def _run(
    engine: str, ledger: Ledger, examiner: Examiner, settings: Settings, workers: int | None
) -> Progress:
    if engine == "ray":
        from functools import partial

        from assistant.scan.distributed import scan_with_ray
        from assistant.scan.stage import build_examiner

        make = partial(build_examiner, settings)
        return scan_with_ray(ledger, make, media=examiner.media, actors=workers, tell=_teller())
    from assistant.scan.local import scan as run

    return run(ledger, examiner, workers=workers, tell=_teller())


def _teller() -> Callable[[Progress], None]:
    """Tells every two seconds."""
    told = [0.0]

    def tell(progress: Progress) -> None:
        if time.monotonic() - told[0] >= _EVERY:
            told[0] = time.monotonic()
            click.echo(_line(progress), err=True)

    return tell


def _line(progress: Progress) -> str:
    from tqdm import tqdm

    seconds = progress.seconds_left
    left = f", {tqdm.format_interval(seconds)} left" if seconds else ""
    return (
        f"{progress.done:,} of {progress.total:,} files{left}; in this run {progress.analysed:,} "
        f"analysed, {progress.same:,} the same as others, {progress.refused:,} refused"
    )
