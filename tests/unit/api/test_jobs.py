"""Jobs are done once: leases run out, workers are killed, results come too late."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.api.jobs import Jobs
from assistant.api.service import Service
from assistant.api.worker import Worker
from assistant.cases.database import open_database
from assistant.cases.store import CaseStore
from assistant.cases.vault import Vault, new_key
from assistant.fakes import demo_assistant
from assistant.settings import Settings
from tests.drawn import drawn_faces, png

ROOT = Path(__file__).parents[3]
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
    jobs = Jobs(store, lease_seconds=0.05)
    job_id = jobs.add(b"bytes", key_id="k", request=REQUEST)
    first = jobs.take("one")
    assert first is not None
    assert Jobs(store).take("two") is None
    time.sleep(0.1)
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
    assert store.count() == 0


PROGRAM = """
import sys
from assistant.api.service import Service
from assistant.api.worker import Worker
from assistant.cases.database import open_database
from assistant.cases.store import CaseStore
from assistant.cases.vault import Vault
from assistant.fakes import demo_assistant
from assistant.settings import Settings
store = CaseStore(open_database(sys.argv[1]), Vault(sys.argv[2]))
worker = Worker(Service(store, demo_assistant(), Settings()), lease_seconds=0.3)
print("begun", flush=True)
while worker.step():
    pass
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_workers_lose_no_job_and_do_none_twice(
    store: CaseStore, key: str, tmp_path: Path
) -> None:
    jobs = Jobs(store)
    wanted = {}
    for i in range(30):
        request = {**REQUEST, "subject": str(i)}
        wanted[jobs.add(png(drawn_faces(size=(240, 200))), key_id="k", request=request)] = i
    chance = random.Random(3)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    url = f"sqlite:///{tmp_path / 'j.db'}"
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url, key], stdout=subprocess.PIPE, env=environment
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.05, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    time.sleep(0.4)
    worker = Worker(Service(store, demo_assistant(), Settings()))
    while worker.step():
        pass
    told = [jobs.show(job_id, "k") for job_id in wanted]
    assert {job["state"] for job in told} == {"done"}
    assert sorted(int(row.subject) for row in store.every()) == list(range(30))
    assert len({job["case"] for job in told}) == 30
    assert store.verify().whole
