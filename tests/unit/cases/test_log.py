"""Tampering shows: guards stop it, the chain tells of what went around the guards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from assistant.cases import guards
from assistant.cases.database import open_database, reading, repair, upgrade, writing
from assistant.cases.store import CaseStore
from assistant.errors import ConfigError

CHANGES = [
    "UPDATE log SET actor = 'eve' WHERE seq = 1",
    "DELETE FROM log WHERE seq = 2",
    "UPDATE bodies SET record = '{}'",
    "UPDATE decisions SET reason = 'other'",
    "DELETE FROM decisions",
    "UPDATE notes SET body = 'other'",
    "DELETE FROM notes",
    "UPDATE cases SET probability = 0.0",
    "DELETE FROM cases",
]


@pytest.fixture
def filled(store: CaseStore, made: dict[str, Any]) -> CaseStore:
    for name in ("one", "two"):
        case_id = store.create(made, actor="ann", subject=name)
        store.note(case_id, actor="ann", text="seen")
        store.decide(case_id, actor="ann", outcome="confirm", reason="edges")
    return store


def do(engine: Engine, *statements: str) -> None:
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def unguarded(engine: Engine) -> None:
    """Remove every guard, as somebody with the database's password can."""
    with writing(engine) as connection:
        for name, (_, table, _, _) in guards._rules().items():
            where = "" if engine.dialect.name == "sqlite" else f" ON {table}"
            connection.execute(text(f"DROP TRIGGER {name}{where}"))
            if engine.dialect.name == "sqlite":
                continue
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}_all ON {table}"))


@pytest.mark.parametrize("change", CHANGES)
def test_a_guard_stops_every_change(filled: CaseStore, change: str) -> None:
    with pytest.raises(DBAPIError):
        do(filled.engine, change)
    assert filled.verify().whole


def test_postgresql_cannot_be_truncated_either(filled: CaseStore) -> None:
    statement = "TRUNCATE log" if filled.engine.dialect.name == "postgresql" else "DELETE FROM log"
    with pytest.raises(DBAPIError):
        do(filled.engine, statement)


@pytest.mark.parametrize(
    ("changes", "broken", "told"),
    [
        (["UPDATE log SET actor = 'eve' WHERE seq = 2"], 2, "entry 2: it was changed"),
        (["DELETE FROM log WHERE seq = 3"], 4, "entries were removed"),
        (["UPDATE bodies SET record = '{}'"], None, "its record was changed"),
        (["UPDATE decisions SET reason = 'other'"], None, "decisions: the text of entry 3"),
        (["DELETE FROM notes WHERE log_seq = 2"], None, "the text of entry 2 is gone"),
        (["UPDATE cases SET state = 'rejected'"], None, "its state is rejected, not confirmed"),
    ],
)
def test_what_went_around_the_guards_is_named(
    filled: CaseStore, changes: list[str], broken: int | None, told: str
) -> None:
    unguarded(filled.engine)
    do(filled.engine, *changes)
    found = filled.verify()
    assert found.broken == broken
    assert any(told in problem for problem in found.problems)
    assert any("guard_log_update" in problem for problem in found.problems)


def test_a_log_that_was_cut_or_written_anew_does_not_hold_the_anchor(
    filled: CaseStore, made: dict[str, Any], tmp_path: Path
) -> None:
    kept = filled.anchor()
    assert kept is not None
    assert filled.verify(kept).whole
    other = CaseStore(open_database(f"sqlite:///{tmp_path / 'other.db'}"))
    for _ in range(6):
        other.create(made, actor="eve")
    assert other.verify().whole
    assert "does not contain the anchor" in other.verify(kept).problems[0]
    other.close()


def test_a_store_without_guards_is_not_opened_until_they_are_put_back(
    filled: CaseStore, url: str
) -> None:
    unguarded(filled.engine)
    with pytest.raises(ConfigError, match="lost guards") as caught:
        open_database(url)
    assert caught.value.code == "guards-missing"
    repair(filled.engine, actor="ann")
    open_database(url).dispose()
    assert filled.verify().whole


MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision = "{new}"
down_revision = "{old}"
branch_labels = depends_on = None
def upgrade():
    for table in ("log", "decisions", "cases"):
        with op.batch_alter_table(table, recreate="{how}") as batch:
            batch.add_column(sa.Column("extra", sa.String(10)))
"""


def test_the_guards_survive_a_migration_that_copies_the_tables(
    filled: CaseStore, tmp_path: Path
) -> None:
    from assistant.cases.database import HEAD

    how = "always" if filled.engine.dialect.name == "sqlite" else "auto"
    (tmp_path / "m.py").write_text(MIGRATION.format(new="9999", old=HEAD, how=how))
    upgrade(filled.engine, scripts=str(tmp_path))
    with reading(filled.engine) as connection:
        assert connection.execute(text("SELECT extra FROM log")).all()
        assert guards.missing(connection) == []
    for change in CHANGES:
        with pytest.raises(DBAPIError):
            do(filled.engine, change)
    assert filled.verify().whole


def test_new_stores_and_those_of_the_first_revision_get_the_tables_that_the_code_reads(
    store: CaseStore, url: str
) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from assistant.cases.tables import metadata, people, sessions

    def tables_differ() -> list[object]:
        with reading(store.engine) as connection:
            return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert tables_differ() == []
    with writing(store.engine) as connection:
        metadata.drop_all(connection, tables=[people, sessions])
        connection.execute(text("DROP INDEX ix_cases_verdict"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    open_database(url).dispose()
    assert tables_differ() == []
