"""Triggers that keep written rows as they were written, and the decider of an appeal another one.

A batch migration on SQLite copies a table and drops its triggers, so :func:`install` runs at the
end of every migration and :func:`missing` on every opening of a store.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

__all__ = ["install", "missing"]

_APPEND_ONLY = ("log", "bodies", "decisions", "notes")
_FIXED = (
    "id, created_at, source, subject, kind, content_sha256, perceptual, perceptual_quality, "
    "status, verdict, probability, faces, truth"
)
_SAME_PERSON = (
    "NEW.kind = 'decision' AND EXISTS (SELECT 1 FROM decisions d WHERE d.case_id = NEW.case_id "
    "AND d.kind = 'decision' AND d.actor = NEW.actor AND d.step < NEW.step)"
)
_SAME = "the person who decided cannot decide the appeal"


def _rules() -> dict[str, tuple[str, str, str, str]]:
    """Name -> (when, table, condition, message)."""
    rules: dict[str, tuple[str, str, str, str]] = {}
    for table in _APPEND_ONLY:
        for act in ("update", "delete"):
            rules[f"guard_{table}_{act}"] = (
                f"BEFORE {act.upper()}",
                table,
                "",
                f"{table} is append-only",
            )
    rules["guard_cases_update"] = (f"BEFORE UPDATE OF {_FIXED}", "cases", "", "a case is fixed")
    rules["guard_cases_delete"] = ("BEFORE DELETE", "cases", "", "cases are not deleted")
    rules["guard_appeal"] = ("BEFORE INSERT", "decisions", _SAME_PERSON, _SAME)
    return rules


def missing(connection: Connection) -> list[str]:
    """Names of the guards that are not there."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = (
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D' "
            "AND pg_table_is_visible(tgrelid)"
        )
    there = {row[0] for row in connection.execute(text(query))}
    return sorted(set(_rules()) - there)


def install(connection: Connection) -> None:
    """Make every guard anew, in the transaction that is open."""
    for name, (when, table, condition, message) in _rules().items():
        if connection.dialect.name == "sqlite":
            _sqlite(connection, name, when, table, condition, message)
        else:
            _postgres(connection, name, when, table, condition, message)


def _sqlite(
    connection: Connection, name: str, when: str, table: str, condition: str, message: str
) -> None:
    clause = f"WHEN {condition} " if condition else ""
    connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    connection.execute(
        text(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {clause}"
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
    )


def _postgres(
    connection: Connection, name: str, when: str, table: str, condition: str, message: str
) -> None:
    body = f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"
    if condition:
        body = f"IF {condition} THEN {body} END IF; RETURN NEW;"
    connection.execute(
        text(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body} END $$"
        )
    )
    connection.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {table}"))
    connection.execute(
        text(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    )
    if when == "BEFORE DELETE":
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}_all ON {table}"))
        connection.execute(
            text(
                f"CREATE TRIGGER {name}_all BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
            )
        )
