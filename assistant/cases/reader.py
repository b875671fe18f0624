"""Reading a case store: one case, filtered lists, pictures that are nearly the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, le
from typing import Any

from sqlalchemy import Connection, Engine, and_, or_, select

from assistant.cases import log as chain
from assistant.cases.database import now, reading
from assistant.cases.hashes import bits_apart, match_limit
from assistant.cases.rules import STATES
from assistant.cases.tables import bodies, cases, decisions, notes, pictures
from assistant.cases.vault import Vault
from assistant.errors import CaseError

__all__ = ["Case", "CaseFilter", "CaseReader", "CaseRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A line of the list: what filters read, without the record."""

    id: str
    created_at: str
    source: str
    subject: str
    kind: str
    content_sha256: str
    status: str
    verdict: str | None
    probability: float | None
    faces: int
    state: str
    step: int
    picture_until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case with all that belongs to it; texts in the order they were written."""

    row: CaseRow
    record: Mapping[str, Any]
    record_sha256: str
    decisions: Sequence[Mapping[str, Any]]
    notes: Sequence[Mapping[str, Any]]
    log: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases a list holds; what is None does not count. Both times (ISO text) are included."""

    state: str | None = None
    source: str | None = None
    verdict: str | None = None
    least: float | None = None
    since: str | None = None
    until: str | None = None


_ROW = [cases.c[name] for name in CaseRow.__dataclass_fields__]


class CaseReader:
    """Cases in a database, for reading. Safe to share between threads and processes.

    Without a vault no picture can be kept or opened.
    """

    def __init__(self, engine: Engine, vault: Vault | None = None) -> None:
        self.engine = engine
        self.vault = vault

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def get(self, case_id: str) -> Case:
        """A case with all that belongs to it.

        Raises:
            CaseError: there is none of that id.
        """
        with reading(self.engine) as connection:
            row = self._row(connection, case_id)
            body = connection.execute(select(bodies).where(bodies.c.case_id == row.id)).one()
            made = connection.execute(
                select(decisions).where(decisions.c.case_id == row.id).order_by(decisions.c.id)
            )
            said = connection.execute(
                select(notes).where(notes.c.case_id == row.id).order_by(notes.c.id)
            )
            return Case(
                row=row,
                record=json.loads(body.record),
                record_sha256=body.sha256,
                decisions=tuple(dict(r) for r in made.mappings()),
                notes=tuple(dict(r) for r in said.mappings()),
                log=tuple(chain.entries_of(connection, row.id)),
            )

    def find(self, beginning: str) -> str:
        """The id that begins so.

        Raises:
            CaseError: none does, or several do.
        """
        text = beginning.strip().lower()
        if len(text) == 32:
            return text
        with reading(self.engine) as connection:
            query = select(cases.c.id).where(cases.c.id.startswith(text, autoescape=True)).limit(2)
            found = [r[0] for r in connection.execute(query)] if len(text) >= 4 else []
        if len(found) != 1:
            raise CaseError(
                f"{'Several cases begin' if found else 'No case begins'} with {beginning!r}.",
                hint="Give the id as `whyfake cases list` shows it, four letters at least.",
                code="no-such-case",
            )
        return str(found[0])

    def list(
        self, wanted: CaseFilter | None = None, *, limit: int = 50, after: str | None = None
    ) -> list[CaseRow]:
        """The newest cases first; ``after`` is the id of the last case of the page before."""
        query = select(*_ROW).where(*_clauses(wanted or CaseFilter()))
        query = query.order_by(cases.c.created_at.desc(), cases.c.id.desc()).limit(limit)
        with reading(self.engine) as connection:
            if after is not None:
                last = self._row(connection, after)
                query = query.where(
                    or_(
                        cases.c.created_at < last.created_at,
                        and_(cases.c.created_at == last.created_at, cases.c.id < last.id),
                    )
                )
            return [CaseRow(**r) for r in connection.execute(query).mappings()]

    def near(self, case_id: str, *, limit: int = 20) -> Sequence[tuple[CaseRow, int]]:
        """Cases of the same or nearly the same picture, nearest first, with the bits between."""
        with reading(self.engine) as connection:
            row = self._row(connection, case_id)
            codes = select(cases.c.id, cases.c.perceptual).where(cases.c.perceptual_quality > 0)
            own = connection.execute(codes.where(cases.c.id == row.id)).first()
            if own is None:
                return []
            most = match_limit(own.perceptual)
            apart = [
                (bits, other.id)
                for other in connection.execute(codes.where(cases.c.id != row.id))
                if (bits := bits_apart(own.perceptual, other.perceptual)) is not None
                and bits <= most
            ]
            return [(self._row(connection, other), b) for b, other in sorted(apart)[:limit]]

    def picture(self, case_id: str, name: str = "original") -> bytes:
        """A kept picture.

        Raises:
            CaseError: none was kept, or its time has passed.
        """
        with reading(self.engine) as connection:
            row = self._row(connection, case_id)
            sealed = connection.execute(
                select(pictures.c.sealed).where(
                    pictures.c.case_id == row.id,
                    pictures.c.name == name,
                    pictures.c.until > now(),
                )
            ).scalar()
        if sealed is None:
            raise CaseError(
                f"No picture of case {row.id} is kept.",
                hint="It was not asked for when the case was made, or its time has passed.",
                code="no-picture",
            )
        return self.sealer().open(bytes(sealed), f"{row.id}/{name}")

    def verify(self, kept: chain.Anchor | None = None) -> chain.Verified:
        """Check the whole log (:func:`assistant.cases.log.verify`)."""
        with reading(self.engine) as connection:
            return chain.verify(connection, kept)

    def anchor(self) -> chain.Anchor | None:
        """The latest entry of the log, to be kept elsewhere."""
        with reading(self.engine) as connection:
            return chain.anchor(connection)

    def _row(self, connection: Connection, case_id: str) -> CaseRow:
        row = connection.execute(select(*_ROW).where(cases.c.id == case_id)).mappings().first()
        if row is None:
            raise CaseError(
                f"There is no case {case_id[:40]!r}.",
                hint="`whyfake cases list` shows all.",
                code="no-such-case",
            )
        return CaseRow(**row)

    def sealer(self) -> Vault:
        """The vault.

        Raises:
            CaseError: the store was opened without a key.
        """
        if self.vault is None:
            raise CaseError(
                "Pictures can be kept and opened only with a key.",
                hint="Set cases.key_file or its variable; `whyfake cases key` makes a key.",
                code="case-key",
            )
        return self.vault


def _clauses(wanted: CaseFilter) -> list[Any]:
    if wanted.state is not None and wanted.state not in STATES:
        raise CaseError(
            f"There is no state {wanted.state!r}.",
            hint=f"Use one of {', '.join(STATES)}.",
            code="bad-value",
        )
    asked = (
        (cases.c.state, eq, wanted.state),
        (cases.c.source, eq, wanted.source),
        (cases.c.verdict, eq, wanted.verdict),
        (cases.c.probability, ge, wanted.least),
        (cases.c.created_at, ge, wanted.since),
        (cases.c.created_at, le, wanted.until),
    )
    return [compare(column, value) for column, compare, value in asked if value is not None]
