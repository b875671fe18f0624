"""A process killed at any moment while it writes cases leaves a whole chain and whole cases."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assistant.cases.database import open_database
from assistant.cases.store import CaseStore

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from assistant.cases.database import open_database
from assistant.cases.store import CaseStore
from assistant.cases.vault import Vault, new_key
store = CaseStore(open_database(sys.argv[1]), Vault(new_key()))
record = {
    "content_sha256": "0" * 64, "perceptual": {"hash": "", "quality": 0},
    "analysis": {"status": "no_face", "faces": []}, "pad": "x" * 20000,
}
print("begun", flush=True)
for i in range(100000):
    case = store.create(record, actor="ann", subject=str(i), picture={"original": b"y" * 50000})
    store.note(case, actor="ann", text="seen")
    store.decide(case, actor="ann", outcome="confirm", reason="edges")
    print(case, flush=True)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_at_random_moments_leave_the_store_whole(url: str) -> None:
    chance = random.Random(11)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told: list[str] = []
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(chance.uniform(0.02, 0.5))
        process.send_signal(signal.SIGKILL)
        told += [line for line in process.stdout.read().splitlines() if len(line) == 32]
        process.stdout.close()
        assert process.wait() == -signal.SIGKILL
    store = CaseStore(open_database(url))
    found = store.verify()
    assert found.whole, found.problems
    assert told
    states = {row.id: row.state for row in store.every()}
    assert {states.get(case) for case in told} == {"confirmed"}
    assert len(states) - len(told) <= 8  # at most the one that each process was writing
    store.close()
