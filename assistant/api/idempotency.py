"""The same request sent twice under one ``Idempotency-Key`` is done once and answered twice."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from assistant.api.problems import ApiError
from assistant.cases.database import canonical, later, now, writing
from assistant.cases.tables import idempotency

__all__ = ["begin", "end", "give_up"]

_ABANDONED = 600.0


def begin(
    engine: Engine, key_id: str, name: str, request_sha256: str
) -> tuple[int, dict[str, Any]] | None:
    """Claim a name; the stored status and answer where the request was done before.

    Raises:
        ApiError: another request came under this name, or the same one is still being done.
    """
    here = (idempotency.c.key_id == key_id, idempotency.c.name == name)
    with writing(engine) as connection:
        row = connection.execute(select(idempotency).where(*here)).first()
        if row is not None and row.status is None and row.created_at < later(-_ABANDONED):
            connection.execute(delete(idempotency).where(*here))
            row = None
        if row is None:
            connection.execute(
                insert(idempotency).values(
                    key_id=key_id, name=name, request_sha256=request_sha256, created_at=now()
                )
            )
            return None
    if row.request_sha256 != request_sha256:
        raise ApiError(
            "Another request was sent under this Idempotency-Key.",
            hint="Use a new one for each request.",
            code="idempotency-mismatch",
        )
    if row.status is None:
        raise ApiError(
            "This request is being worked on.", hint="Ask again later.", code="in-progress"
        )
    return int(row.status), json.loads(row.body)


def end(within: Connection, key_id: str, name: str, status: int, body: Any) -> None:
    """Store the answer, in the transaction that wrote what it tells of."""
    here = (idempotency.c.key_id == key_id, idempotency.c.name == name)
    within.execute(update(idempotency).where(*here).values(status=status, body=canonical(body)))


def give_up(engine: Engine, key_id: str, name: str) -> None:
    """Free a name whose request failed, so that it can be tried again."""
    here = (idempotency.c.key_id == key_id, idempotency.c.name == name)
    with writing(engine) as connection:
        connection.execute(delete(idempotency).where(*here, idempotency.c.status.is_(None)))
