"""Jobs are done once: leases run out, workers are killed, results come too late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from assistant.api.jobs import Jobs
from assistant.api.service import Service
from assistant.api.worker import Worker
from assistant.cases import tables
from assistant.cases.database import later, open_database, writing
from assistant.cases.store import CaseStore
from assistant.cases.vault import Vault, new_key
from assistant.fakes import demo_assistant
from assistant.settings import Settings

REQUEST = {
    "owner": "ann", "source": "", "subject": "", "keep_picture": False, "explain": False,
}  # fmt: skip


@pytest.fixture
def key() -> str:
    return new_key()


@pytest.fixture
def store(tmp_path: Path, key: str) -> Iterator[CaseStore]:
    opened = CaseStore(open_database(f"sqlite:///{tmp_path / 'j.db'}"), Vault(key))
    yield opened
    opened.close()


def test_a_job_whose_worker_is_gone_is_taken_up_and_the_late_result_is_dropped(
    store: CaseStore,
) -> None:
    jobs = Jobs(store)
    job_id = jobs.add(b"bytes", key_id="k", request=REQUEST)
    first = jobs.take("one")
    assert first is not None
    assert Jobs(store).take("two") is None
    with writing(store.engine) as connection:
        connection.execute(update(tables.jobs).values(lease_until=later(-1)))
    second = Jobs(store).take("two")
    assert second is not None
    assert (second.id, second.data, second.attempts) == (job_id, b"bytes", 2)
    made: list[str] = []
    assert jobs.finish(first, "one", lambda _: made.append("late") or "") is None
    assert made == []
    assert not jobs.renew(first, "one")
    assert jobs.show(job_id, "k")["state"] == "running"


def test_a_job_that_never_ends_is_given_up_after_three_times(store: CaseStore) -> None:
    jobs = Jobs(store, lease_seconds=0.0)
    job_id = jobs.add(b"bytes", key_id="k", request=REQUEST)
    for _ in range(3):
        assert jobs.take("one") is not None
        time.sleep(0.01)
    assert jobs.take("one") is None
    assert jobs.show(job_id, "k")["error"]["code"] == "job-lost"


def test_a_job_with_a_broken_file_ends_in_its_typed_error(store: CaseStore) -> None:
    worker = Worker(Service(store, demo_assistant(), Settings()))
    job_id = worker.jobs.add(b"no clip", key_id="k", request=REQUEST)
    assert worker.step()
    told = worker.jobs.show(job_id, "k")
    assert told["state"] == "failed"
    assert told["error"]["hint"]
    assert len(store.list()) == 0
