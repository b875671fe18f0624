"""Jobs in the case store under leases: a killed worker's job is taken up again, done once.

A job's end, its case and the removal of its bytes are one transaction that holds only while the
lease is still the worker's own. So a slow worker whose job was given to another writes nothing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from assistant.api import idempotency
from assistant.cases.database import canonical, later, now, reading, writing
from assistant.cases.store import CaseStore
from assistant.cases.tables import jobs
from assistant.errors import AssistantError, CaseError

__all__ = ["Job", "Jobs"]

_MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that was taken: the file's bytes and what is to be done with them."""

    id: str
    key_id: str
    request: Mapping[str, Any]
    data: bytes
    attempts: int


class Jobs:
    """The table of jobs.

    Args:
        store: a store with a key: a waiting job's bytes are sealed.
        lease_seconds: how long a worker holds a job without renewing.
        attempts: a job that was begun so often and never ended becomes failed.
    """

    def __init__(
        self, store: CaseStore, *, lease_seconds: float = 60.0, attempts: int = _MOST_ATTEMPTS
    ) -> None:
        self._store = store
        self._lease = lease_seconds
        self._attempts = attempts

    def add(
        self, data: bytes, *, key_id: str, request: Mapping[str, Any], name: str | None = None
    ) -> str:
        """Store a job and return its id; ``name`` is the Idempotency-Key that it answers."""
        job_id, vault = uuid.uuid4().hex, self._store.sealer()
        with writing(self._store.engine) as connection:
            connection.execute(
                insert(jobs).values(
                    id=job_id,
                    created_at=now(),
                    key_id=key_id,
                    state="waiting",
                    request=canonical(request),
                    sealed=vault.seal(data, f"job/{job_id}"),
                    attempts=0,
                )
            )
            if name is not None:
                told = {"job": job_id, "status": f"/v1/jobs/{job_id}"}
                idempotency.end(connection, key_id, name, 202, told)
        return job_id

    def take(self, worker: str) -> Job | None:
        """Lease the oldest job that waits or whose worker is gone; None where there is none.

        A job that was begun as often as is allowed and never ended becomes failed.
        """
        free = or_(
            jobs.c.state == "waiting",
            and_(jobs.c.state == "running", jobs.c.lease_until < now()),
        )
        with writing(self._store.engine) as connection:
            connection.execute(
                update(jobs)
                .where(free, jobs.c.attempts >= self._attempts)
                .values(
                    state="failed",
                    sealed=None,
                    error=_error("job-lost", "The job never ended, however often it was begun."),
                )
            )
            row = connection.execute(
                select(jobs).where(free).order_by(jobs.c.created_at).limit(1)
            ).first()
            if row is None:
                return None
            connection.execute(
                update(jobs)
                .where(jobs.c.id == row.id)
                .values(
                    state="running",
                    attempts=row.attempts + 1,
                    lease_owner=worker,
                    lease_until=later(self._lease),
                )
            )
        data = self._store.sealer().open(bytes(row.sealed), f"job/{row.id}")
        return Job(
            id=row.id,
            key_id=row.key_id,
            request=json.loads(row.request),
            data=data,
            attempts=row.attempts + 1,
        )

    def renew(self, job: Job, worker: str) -> bool:
        """Hold a job longer; False where it is another worker's by now."""
        with writing(self._store.engine) as connection:
            done = connection.execute(
                update(jobs).where(*_own(job, worker)).values(lease_until=later(self._lease))
            )
            return bool(done.rowcount)

    def finish(self, job: Job, worker: str, create: Callable[[Connection], str]) -> str | None:
        """End a job with the case that ``create`` makes in the same transaction.

        Returns:
            the case's id; None where the job is another worker's by now, and nothing was written.
        """
        with writing(self._store.engine) as connection:
            held = connection.execute(select(jobs.c.id).where(*_own(job, worker))).first()
            if held is None:
                return None
            case_id = create(connection)
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job.id)
                .values(state="done", sealed=None, case_id=case_id, lease_owner=None)
            )
        return case_id

    def fail(self, job: Job, worker: str, error: AssistantError) -> None:
        """End a job in a typed error."""
        text = _error(error.code, error.user_message, error.hint)
        with writing(self._store.engine) as connection:
            connection.execute(
                update(jobs)
                .where(*_own(job, worker))
                .values(state="failed", sealed=None, error=text, lease_owner=None)
            )

    def show(self, job_id: str, key_id: str) -> dict[str, Any]:
        """A job's state, for the key that made it.

        Raises:
            CaseError: there is no such job of this key.
        """
        with reading(self._store.engine) as connection:
            row = connection.execute(
                select(jobs).where(jobs.c.id == job_id, jobs.c.key_id == key_id)
            ).first()
        if row is None:
            raise CaseError(
                f"There is no job {job_id[:40]!r}.",
                hint="A job is shown to the key that made it.",
                code="no-such-job",
            )
        return {
            "id": row.id,
            "state": row.state,
            "created_at": row.created_at,
            "attempts": row.attempts,
            "case": row.case_id,
            "error": json.loads(row.error) if row.error else None,
        }


def _own(job: Job, worker: str) -> tuple[Any, ...]:
    return (jobs.c.id == job.id, jobs.c.state == "running", jobs.c.lease_owner == worker)


def _error(code: str, message: str, hint: str = "") -> str:
    return canonical({"code": code, "message": message, "hint": hint})
