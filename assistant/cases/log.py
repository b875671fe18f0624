"""The log of a case store: append-only, each entry sealed with the hash of the one before.

Whoever can write the database file can also write a whole new chain. So the latest hash (the
anchor) can be exported and kept elsewhere: a chain that does not contain it was exchanged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from assistant.cases import guards
from assistant.cases.database import canonical, digest, now
from assistant.cases.tables import bodies, cases, decisions, log, notes

__all__ = ["GENESIS", "Anchor", "Verified", "anchor", "append", "entries_of", "verify"]

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The latest entry: its number and hash. Kept elsewhere, it proves what the log held."""

    seq: int
    hash: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a check of the whole log found.

    Attributes:
        entries: how many entries were read.
        broken: number of the first entry that does not hold; None: all hold.
        problems: what is wrong, in words; empty where the store is whole.
    """

    entries: int
    broken: int | None
    problems: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def append(
    connection: Connection,
    *,
    actor: str,
    action: str,
    case_id: str | None,
    detail: Mapping[str, Any],
) -> int:
    """Add an entry within a writing transaction and return its number."""
    last = connection.execute(
        select(log.c.seq, log.c.hash).order_by(log.c.seq.desc()).limit(1)
    ).first()
    seq = int(last.seq) + 1 if last else 1
    row = {
        "seq": seq,
        "at": now(),
        "actor": actor,
        "action": action,
        "case_id": case_id,
        "detail": canonical(detail),
        "previous": last.hash if last else GENESIS,
    }
    connection.execute(insert(log).values(**row, hash=_seal(row)))
    return seq


def anchor(connection: Connection) -> Anchor | None:
    """The latest entry; None where the log is empty."""
    row = connection.execute(
        select(log.c.seq, log.c.hash, log.c.at).order_by(log.c.seq.desc()).limit(1)
    ).first()
    return Anchor(seq=row.seq, hash=row.hash, at=row.at) if row else None


def entries_of(connection: Connection, case_id: str) -> list[dict[str, Any]]:
    """A case's entries in order, with their details as objects."""
    rows = connection.execute(select(log).where(log.c.case_id == case_id).order_by(log.c.seq))
    return [{**row, "detail": json.loads(row["detail"])} for row in rows.mappings()]


def verify(connection: Connection, kept: Anchor | None = None) -> Verified:
    """Read the whole log and all that it seals.

    Checked are the chain, the guards, and that each record, decision, note and state is what the
    log says it was; and that the chain contains the anchor that was ``kept`` elsewhere.
    """
    problems = [f"the guard {name} is missing" for name in guards.missing(connection)]
    sealed: dict[str, str] = {}
    states: dict[str, str] = {}
    written: dict[int, str] = {}
    count, broken, previous, met = 0, None, GENESIS, kept is None
    for row in _all(connection):
        count += 1
        if broken is None:
            wrong = _wrong(row, count, previous)
            if wrong:
                broken = row["seq"]
                problems.append(f"entry {row['seq']}: {wrong}")
        previous = row["hash"]
        met = met or (kept is not None and row["seq"] == kept.seq and row["hash"] == kept.hash)
        detail = json.loads(row["detail"])
        if row["case_id"]:
            if "record_sha256" in detail:
                sealed[row["case_id"]] = detail["record_sha256"]
            if "state" in detail:
                states[row["case_id"]] = detail["state"]
        if "text_sha256" in detail:
            written[row["seq"]] = detail["text_sha256"]
    if not met and kept is not None:
        problems.append(f"the chain does not contain the anchor, entry {kept.seq}")
    problems += _records(connection, sealed, states)
    problems += _texts(connection, written)
    return Verified(entries=count, broken=broken, problems=tuple(problems))


def _wrong(row: Mapping[str, Any], count: int, previous: str) -> str:
    if row["seq"] != count:
        return f"expected number {count}: entries were removed or put in"
    if row["previous"] != previous:
        return "it does not follow from the entry before it"
    return "" if _seal(row) == row["hash"] else "it was changed"


def _seal(row: Mapping[str, Any]) -> str:
    names = ("seq", "at", "actor", "action", "case_id", "detail", "previous")
    return digest(canonical([row[name] for name in names]))


def _all(connection: Connection) -> Iterator[Mapping[str, Any]]:
    found = connection.execution_options(yield_per=2000).execute(select(log).order_by(log.c.seq))
    yield from (dict(row) for row in found.mappings())


def _records(
    connection: Connection, sealed: Mapping[str, str], states: Mapping[str, str]
) -> list[str]:
    """Every case's record and state against the log; both ways."""
    query = select(cases.c.id, cases.c.state, bodies.c.record, bodies.c.sha256).outerjoin(
        bodies, bodies.c.case_id == cases.c.id
    )
    problems, seen = [], set()
    for row in connection.execution_options(yield_per=500).execute(query):
        seen.add(row.id)
        if row.id not in sealed:
            problems.append(f"case {row.id}: the log does not know it")
        elif row.record is None:
            problems.append(f"case {row.id}: its record is gone")
        elif not digest(row.record) == row.sha256 == sealed[row.id]:
            problems.append(f"case {row.id}: its record was changed")
        if row.id in states and states[row.id] != row.state:
            problems.append(f"case {row.id}: its state is {row.state}, not {states[row.id]}")
    problems += [f"case {case_id}: it is gone" for case_id in sealed if case_id not in seen]
    return problems


def _texts(connection: Connection, written: Mapping[int, str]) -> list[str]:
    """Decisions and notes against the log; both ways."""
    problems, seen = [], set()
    for table, text in ((decisions, decisions.c.reason), (notes, notes.c.body)):
        for row in connection.execute(select(table.c.log_seq, text.label("text"))):
            seen.add(row.log_seq)
            if digest(row.text) != written.get(row.log_seq):
                problems.append(f"{table.name}: the text of entry {row.log_seq} was changed")
    problems += [f"the text of entry {seq} is gone" for seq in written if seq not in seen]
    return problems
