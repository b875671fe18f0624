"""Cases of the store, 10,000 of them: time to write, list with a filter, find, verify.

Usage: python bench/cases.py [COUNT] [DATABASE URL]
"""

from __future__ import annotations

import copy
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from assistant.cases.database import canonical, digest, open_database, writing
from assistant.cases.reader import CaseFilter
from assistant.cases.record import record
from assistant.cases.store import CaseStore
from assistant.fakes import demo_assistant
from assistant.settings import Settings
from tests.drawn import drawn_faces, png


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    folder = tempfile.mkdtemp()
    url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{folder}/cases.db"
    store = CaseStore(open_database(url))
    made = record(demo_assistant(), Settings(), png(drawn_faces())).record
    chance = random.Random(0)
    began = time.perf_counter()
    with writing(store.engine) as connection:
        for i in range(count):
            one = copy.deepcopy(made)
            face = one["analysis"]["faces"][0]
            face["probability"] = chance.random()
            face["verdict"] = chance.choice(["uncertain", "likely_manipulated", "no_sign"])
            one["content_sha256"] = digest(str(i))
            one["perceptual"]["hash"] = f"pdq:{chance.getrandbits(256):064x}"
            store.create(one, actor="bench", source=f"s{i % 20}", within=connection)
    seconds = time.perf_counter() - began
    out = {"cases": count, "record_bytes": len(canonical(made)), "write_seconds": round(seconds, 2)}
    ids = [row.id for row in store.list(limit=200)]
    for case_id in ids[:100]:
        store.decide(case_id, actor="bench", outcome="confirm", reason="bench")
    for name, wanted in {
        "state": CaseFilter(state="open"),
        "source_and_least": CaseFilter(source="s3", least=0.9),
        "verdict": CaseFilter(verdict="likely_manipulated", state="open"),
        "since": CaseFilter(since="2020", until="2100", source="s7"),
        "none_fit": CaseFilter(verdict="nothing"),
    }.items():
        times = []
        for _ in range(30):
            began = time.perf_counter()
            store.list(wanted, limit=50)
            times.append(1000 * (time.perf_counter() - began))
        out[f"list_{name}_ms"] = {
            "median": round(statistics.median(times), 2),
            "max": round(max(times), 2),
        }
    began = time.perf_counter()
    store.near(ids[0])
    out["near_ms"] = round(1000 * (time.perf_counter() - began), 1)
    began = time.perf_counter()
    found = store.verify()
    out["verify_seconds"] = round(time.perf_counter() - began, 2)
    out["entries"], out["whole"] = found.entries, found.whole
    out["database_mb"] = round(sum(p.stat().st_size for p in Path(folder).glob("*")) / 1e6, 1)
    print(json.dumps(out, indent=1))


main()
