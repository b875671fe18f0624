"""Processes killed with SIGKILL at random moments while they write; what must hold afterwards.

Each function kills as often as it is told and returns what is wrong: nothing, where all holds.
Children come from a fork server that has loaded the packages, so a kill costs no start of Python.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from assistant.api.jobs import Jobs
from assistant.api.service import Service
from assistant.api.worker import Worker
from assistant.cases.database import open_database
from assistant.cases.store import CaseStore
from assistant.cases.vault import Vault, new_key
from assistant.fakes import demo_assistant
from assistant.scan.items import list_items
from assistant.scan.ledger import Ledger
from assistant.scan.local import scan as run_scan
from assistant.scan.stage import examiner_of
from assistant.settings import Settings
from tests.drawn import drawn_faces, png

_SERVER = multiprocessing.get_context("forkserver")
_RECORD = {
    "content_sha256": "0" * 64,
    "perceptual": {"hash": "", "quality": 0},
    "analysis": {"status": "no_face", "faces": []},
    "pad": "x" * 20_000,
}


def killed(target: Callable[..., None], *words: Any, chance: random.Random) -> list[Any]:
    """Run ``target(told, *words)`` in a process and kill it; what it told until then.

    The moment is random: some milliseconds after one of its first messages.
    """
    _SERVER.set_forkserver_preload([__name__])
    here, there = _SERVER.Pipe(duplex=False)
    process = _SERVER.Process(target=target, args=(there, *words))
    process.start()
    there.close()
    told: list[Any] = []
    with contextlib.closing(here):
        here.recv()  # it has begun
        told += [here.recv() for _ in range(chance.randint(0, 4))]
        time.sleep(chance.uniform(0.0, 0.05))
        process.kill()
        with contextlib.suppress(EOFError):
            while True:
                told.append(here.recv())
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"it ended by itself: {process.exitcode}"
    return told


def cases(url: str, *, kills: int, seed: int) -> list[str]:
    """Cases, notes and decisions: what was told is there, at most one a kill beside it."""
    chance, told = random.Random(seed), list[str]()
    for _ in range(kills):
        told += killed(_write_cases, url, chance=chance)
    store = CaseStore(open_database(url))
    with contextlib.closing(store):
        problems = list(store.verify().problems)
        states = {row.id: row.state for row in store.list(limit=10_000)}
        problems += [f"{c} is {states.get(c)}" for c in told if states.get(c) != "confirmed"]
        subjects = [row.subject for row in store.list(limit=10_000)]
    if not told:
        problems.append("nothing was written")
    if len(states) - len(told) > kills:
        problems.append(f"{len(states)} cases of which {len(told)} were told")
    if len(subjects) != len(set(subjects)):
        problems.append("a case was written twice")
    return problems


def _write_cases(told: Connection, url: str) -> None:
    store = CaseStore(open_database(url), Vault(new_key()))
    told.send("begun")
    while True:
        name = str(time.monotonic_ns())
        case = store.create(_RECORD, actor="ann", subject=name, picture={"original": b"y" * 50_000})
        store.note(case, actor="ann", text="seen")
        store.decide(case, actor="ann", outcome="confirm", reason="edges")
        told.send(case)


def jobs(url: str, *, kills: int, seed: int) -> list[str]:
    """Jobs: every one ends in one case, whichever worker was killed over it."""
    chance, key = random.Random(seed), new_key()
    store = CaseStore(open_database(url), Vault(key))
    queue = Jobs(store)
    picture = png(drawn_faces(size=(240, 200)))
    request = {"owner": "ann", "source": "", "keep_picture": False, "explain": False}
    wanted = {
        queue.add(picture, key_id="k", request={**request, "subject": str(i)}): str(i)
        for i in range(8 * kills)
    }
    done = 0
    for _ in range(kills):
        done += len(killed(_work, url, key, chance=chance))
    time.sleep(0.3)  # the last lease runs out
    worker = Worker(Service(store, demo_assistant(), Settings()), attempts=1000)
    while worker.step():
        pass
    with contextlib.closing(store):
        ends = [queue.show(job, "k") for job in wanted]
        problems = list(store.verify().problems)
        problems += [f"job {end['id']} is {end['state']}" for end in ends if end["state"] != "done"]
        subjects = sorted(row.subject for row in store.list(limit=10_000))
    if subjects != sorted(wanted.values()):
        problems.append(f"{len(subjects)} cases of {len(wanted)} jobs")
    if len({end["case"] for end in ends}) != len(wanted):
        problems.append("two jobs share a case")
    if not done:
        problems.append("no worker did anything before it was killed")
    return problems


def _work(told: Connection, url: str, key: str) -> None:
    store = CaseStore(open_database(url), Vault(key))
    service = Service(store, demo_assistant(), Settings())
    worker = Worker(service, lease_seconds=0.2, attempts=1000)
    told.send("begun")
    while True:
        if worker.step():
            told.send("done")
        else:
            time.sleep(0.01)


def scan(place: Path, *, kills: int, seed: int) -> list[str]:
    """A scan: every file is entered once, every content analysed once, and it comes to its end."""
    chance, files = random.Random(seed), 80 * kills
    folder, state = place / "pictures", place / "state.scan"
    folder.mkdir()
    base = drawn_faces(size=(240, 200)).copy()
    for i in range(files):
        base[0, 0] = (i // 2 % 251, i // 2 // 251, 7)  # each content twice
        (folder / f"{i:05}.png").write_bytes(png(base))
    seen = [0]
    for _ in range(kills):
        killed(_scan, str(folder), str(state), chance=chance)
        with contextlib.closing(Ledger(state, {})) as ledger:
            seen.append(sum(len(page) for page in ledger.rows()))
    with contextlib.closing(Ledger(state, {})) as ledger:
        ledger.expect(list_items(str(folder)))
        last = run_scan(ledger, examiner_of(demo_assistant()))
        found = [row for page in ledger.rows() for row in page]
    problems = []
    if seen != sorted(seen) or not 0 < seen[-1] < files:
        problems.append(f"files entered after each kill: {seen} of {files}")
    if last.done != files or last.analysed + last.same != files - seen[-1]:
        problems.append(f"the last run did {last}, {seen[-1]} were there")
    if len({row["path"] for row in found}) != files or len(found) != files:
        problems.append(f"{len(found)} rows of {files} files")
    if len({row["sha256"] for row in found}) != files // 2:
        problems.append("contents were lost")
    return problems


def _scan(told: Connection, folder: str, state: str) -> None:
    ledger, examiner = Ledger(Path(state), {}), examiner_of(demo_assistant())
    told.send("begun")
    ledger.expect(list_items(folder))
    run_scan(ledger, examiner, workers=2, tell=lambda p: told.send(p.done))
    time.sleep(60)
