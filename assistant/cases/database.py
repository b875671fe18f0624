"""Opening the database: SQLite or PostgreSQL, its migrations, its guards, one writer at a time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from assistant.cases import guards
from assistant.cases.extras import need
from assistant.cases.tables import metadata
from assistant.errors import ConfigError

__all__ = [
    "HEAD",
    "canonical",
    "digest",
    "later",
    "now",
    "open_database",
    "reading",
    "repair",
    "upgrade",
    "writing",
]

#: The revision of the newest migration.
HEAD = "0002"
_LOCK = 0x77687966  # PostgreSQL's advisory lock of this store
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def now() -> str:
    """The time, UTC, ISO with microseconds."""
    return datetime.now(UTC).strftime(_TIME)


def later(seconds: float) -> str:
    """The time in ``seconds`` from now (negative: ago), written as :func:`now`."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime(_TIME)


def canonical(value: Any) -> str:
    """JSON whose text is the same for the same value: sorted keys, no blanks, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(text_or_bytes: str | bytes) -> str:
    """SHA-256, hex."""
    data = text_or_bytes.encode() if isinstance(text_or_bytes, str) else text_or_bytes
    return hashlib.sha256(data).hexdigest()


def open_database(url: str, *, check_guards: bool = True) -> Engine:
    """Open the store, make or upgrade its tables, and check that its guards are there.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``; a password is better left to PGPASSFILE.
        check_guards: False opens a store whose guards were removed, to look into it.

    Raises:
        ConfigError: the address is wrong, nobody answers, or the guards were removed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            "The address of the case store is no database address.",
            hint="Set cases.url to sqlite:///PATH or postgresql://USER@HOST/NAME.",
            code="case-store",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        need("cases", "psycopg")
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    elif backend == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": 60})
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        raise ConfigError(
            f"The case store cannot live in {backend}; it can in SQLite and PostgreSQL.",
            hint="Set cases.url to sqlite:///PATH or postgresql://USER@HOST/NAME.",
            code="case-store",
        )
    try:
        with reading(engine) as connection:
            current = _revision(connection) == HEAD
        if not current:
            upgrade(engine)
        with reading(engine) as connection:
            gone = guards.missing(connection) if check_guards else []
    except OperationalError as error:
        engine.dispose()
        raise ConfigError(
            f"The case store ({backend}) cannot be opened: {str(error.orig).splitlines()[0]}",
            hint="Check cases.url, the rights on the file, and that the server runs.",
            code="case-store",
        ) from error
    if gone:
        engine.dispose()
        raise ConfigError(
            f"The case store has lost guards of its log: {', '.join(gone)}.",
            hint="Somebody removed them. Run `whyfake cases verify --repair-guards`.",
            code="guards-missing",
        )
    return engine


def upgrade(engine: Engine, *, scripts: str | None = None) -> None:
    """Bring the tables to the newest revision, then install the guards, all in one transaction.

    A new store's tables are made as they are declared; an older store's go through the migrations.

    Args:
        engine: the opened database.
        scripts: further folder of migrations, beside those of the package.
    """
    need("cases", "alembic")
    from alembic import command
    from alembic.config import Config

    here = Path(__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(here))
    config.set_main_option("path_separator", "newline")
    if scripts is not None:
        config.set_main_option("version_locations", f"{here / 'versions'}\n{scripts}")
    with writing(engine, check_references=False) as connection:
        config.attributes["connection"] = connection
        if _revision(connection) is None:
            metadata.create_all(connection)
            command.stamp(config, "head")
        else:
            command.upgrade(config, "head")
        guards.install(connection)


def repair(engine: Engine, *, actor: str) -> None:
    """Put back guards that were removed, and write in the log which."""
    from assistant.cases import log

    with writing(engine) as connection:
        gone = guards.missing(connection)
        guards.install(connection)
        log.append(
            connection,
            actor=actor,
            action="guards-repaired",
            case_id=None,
            detail={"missing": gone},
        )


@contextlib.contextmanager
def writing(engine: Engine, *, check_references: bool = True) -> Iterator[Connection]:
    """A transaction that no other writer runs beside; rolled back if the block raises.

    Args:
        engine: the opened database.
        check_references: False for migrations: SQLite's copy a table and drop the old one.
    """
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect().execution_options(whyfake_write=True) as connection:
        if sqlite and not check_references:
            _references(connection, "OFF")  # must come before the transaction
        try:
            with connection.begin():
                if not sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
                yield connection
        finally:
            if sqlite and not check_references:
                _references(connection, "ON")


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction for reading."""
    with engine.connect() as connection, connection.begin():
        yield connection


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _references(connection: Connection, on_or_off: str) -> None:
    raw = connection.connection.driver_connection
    if raw is not None:
        raw.execute(f"PRAGMA foreign_keys = {on_or_off}").close()


def _sqlite_connect(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "busy_timeout = 60000",
        "secure_delete = ON",  # a removed picture leaves no bytes in free pages
    ):
        raw.execute(f"PRAGMA {pragma}").close()


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("whyfake_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
