"""The case store: every write is one transaction with its entry in the log."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from assistant.cases import log as chain
from assistant.cases.database import canonical, digest, later, now, writing
from assistant.cases.reader import Case, CaseFilter, CaseReader, CaseRow
from assistant.cases.rules import after_appeal, after_decision, limited, person
from assistant.cases.tables import bodies, cases, decisions, notes, pictures
from assistant.errors import CaseError

__all__ = ["Case", "CaseFilter", "CaseRow", "CaseStore"]

_DAY = 86_400.0
_TEXT = 20_000
_DIGEST = 64


class CaseStore(CaseReader):
    """Cases in a database, for writing too."""

    def create(
        self,
        record: Mapping[str, Any],
        *,
        actor: str,
        source: str = "",
        subject: str = "",
        truth: str | None = None,
        picture: Mapping[str, bytes] | None = None,
        keep_days: float = 30.0,
        within: Connection | None = None,
    ) -> str:
        """Store a record as a new case and return its id.

        Args:
            record: what :func:`assistant.cases.record.record` made.
            actor: who does it.
            source: where the file came from, for statistics.
            subject: the caller's own name of the item.
            truth: ``manipulated`` or ``untouched`` makes it a golden case; never shown in lists.
            picture: ``original`` and ``card`` bytes to keep, sealed; None keeps none.
            keep_days: after so many days :meth:`purge` removes the pictures.
            within: a writing transaction to take part in.

        Raises:
            CaseError: a value does not fit.
        """
        if truth not in (None, "manipulated", "untouched"):
            raise CaseError(
                f"The truth {truth!r} is not known.",
                hint="Use manipulated or untouched.",
                code="bad-value",
            )
        case_id, text = uuid.uuid4().hex, canonical(record)
        until = later(keep_days * _DAY) if picture else None
        with self._write_in(within) as connection:
            connection.execute(
                insert(cases).values(
                    id=case_id,
                    created_at=now(),
                    source=limited("source", source, 100, empty=True),
                    subject=limited("subject", subject, 300, empty=True),
                    truth=truth,
                    state="open",
                    step=1,
                    picture_until=until,
                    **_columns(record),
                )
            )
            connection.execute(
                insert(bodies).values(case_id=case_id, record=text, sha256=digest(text))
            )
            for name, data in (picture or {}).items():
                sealed = self.sealer().seal(data, f"{case_id}/{name}")
                connection.execute(
                    insert(pictures).values(case_id=case_id, name=name, sealed=sealed, until=until)
                )
            chain.append(
                connection,
                actor=person(actor),
                action="created",
                case_id=case_id,
                detail={
                    "record_sha256": digest(text),
                    "content_sha256": record["content_sha256"],
                    "state": "open",
                    "kept": sorted(picture or {}),
                    "until": until,
                },
            )
        return case_id

    def decide(
        self,
        case_id: str,
        *,
        actor: str,
        outcome: str,
        reason: str,
        kind: str = "decision",
        within: Connection | None = None,
    ) -> str:
        """Confirm, reject or escalate, or give an ``opinion``, which changes no state.

        ``within`` is a writing transaction to take part in. Returns the state that follows.

        Raises:
            CaseError: not allowed in this state, or an appeal by the person who decided before.
        """
        who = person(actor)
        limited("reason", reason, _TEXT)
        with self._write_in(within) as connection:
            row = self._row(connection, case_id)
            state = after_decision(row.state, outcome, kind)
            seq = chain.append(
                connection,
                actor=who,
                action=kind,
                case_id=row.id,
                detail={
                    "outcome": outcome,
                    "step": row.step,
                    "state": state,
                    "text_sha256": digest(reason),
                },
            )
            try:
                connection.execute(
                    insert(decisions).values(
                        case_id=row.id,
                        step=row.step,
                        kind=kind,
                        outcome=outcome,
                        reason=reason,
                        actor=who,
                        at=now(),
                        log_seq=seq,
                    )
                )
            except IntegrityError as error:
                raise CaseError(
                    "The person who decided a case cannot decide its appeal.",
                    hint="Let somebody else decide it.",
                    code="same-person",
                ) from error
            connection.execute(update(cases).where(cases.c.id == row.id).values(state=state))
        return state

    def appeal(
        self, case_id: str, *, actor: str, reason: str, within: Connection | None = None
    ) -> None:
        """Open the case again for a second person.

        Raises:
            CaseError: nothing was decided, or an appeal is open already.
        """
        with self._write_in(within) as connection:
            row = self._row(connection, case_id)
            state = after_appeal(row.state)
            step = row.step + 1
            self._write(connection, row.id, "appeal", actor, reason, state=state, step=step)
            connection.execute(
                update(cases).where(cases.c.id == row.id).values(state=state, step=step)
            )

    def note(self, case_id: str, *, actor: str, text: str, kind: str = "note") -> None:
        """Add a text: a note, a question with its answer (``turn``), a console's ``callback``."""
        with writing(self.engine) as connection:
            row = self._row(connection, case_id)
            self._write(connection, row.id, kind, actor, text)

    def purge(self, *, at: str | None = None) -> int:
        """Remove the pictures whose time has passed; returns of how many cases."""
        with writing(self.engine) as connection:
            due = pictures.c.until <= (at or now())
            gone = [r[0] for r in connection.execute(select(pictures.c.case_id).where(due))]
            for case_id in dict.fromkeys(gone):
                self._forget(connection, case_id)
        return len(set(gone))

    def _write_in(self, within: Connection | None) -> contextlib.AbstractContextManager[Connection]:
        """The transaction that is open, or one of its own."""
        return writing(self.engine) if within is None else contextlib.nullcontext(within)

    def _write(
        self,
        connection: Connection,
        case_id: str,
        kind: str,
        actor: str,
        text: str,
        **detail: Any,
    ) -> None:
        limited("text", text, _TEXT)
        detail["text_sha256"] = digest(text)
        who = person(actor)
        seq = chain.append(connection, actor=who, action=kind, case_id=case_id, detail=detail)
        connection.execute(
            insert(notes).values(
                case_id=case_id, kind=kind, body=text, actor=who, at=now(), log_seq=seq
            )
        )

    def _forget(self, connection: Connection, case_id: str) -> None:
        connection.execute(delete(pictures).where(pictures.c.case_id == case_id))
        connection.execute(update(cases).where(cases.c.id == case_id).values(picture_until=None))
        chain.append(
            connection, actor="retention", action="picture-removed", case_id=case_id, detail={}
        )


def _columns(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the list shows of a record: the face with the highest probability stands for all."""
    analysis = record["analysis"]
    faces = analysis["faces"]
    worst = max(faces, key=lambda f: f["probability"]) if faces else None
    if len(record["content_sha256"]) != _DIGEST:
        raise CaseError("A record needs the SHA-256 of its file.", code="bad-value")
    return {
        "kind": analysis.get("media", {}).get("kind", ""),
        "content_sha256": record["content_sha256"],
        "perceptual": record["perceptual"]["hash"],
        "perceptual_quality": record["perceptual"]["quality"],
        "status": analysis["status"],
        "verdict": worst["verdict"] if worst else None,
        "probability": worst["probability"] if worst else None,
        "faces": len(faces),
    }
