"""kill -9 at random moments during scan, job and case writes, in SQLite and PostgreSQL.

Usage: python bench/kills.py [TIMES] [SEED]

PostgreSQL is started where its server is installed (Debian: apt-get install postgresql).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests import killing
from tests.postgres import fresh_database, server


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    out: dict[str, object] = {"kills_each": times, "seed": seed}

    def told(name: str, act: Callable[[], list[str]]) -> None:
        began = time.monotonic()
        problems = act()
        out[name] = {"problems": problems, "seconds": round(time.monotonic() - began, 1)}
        print(name, out[name], file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as name, server() as postgres:
        place = Path(name)
        told("scan", lambda: killing.scan(place, kills=times, seed=seed))
        for kind in ("cases", "jobs"):
            act = getattr(killing, kind)
            for store, url in (
                ("sqlite", f"sqlite:///{place / kind}.db"),
                ("postgresql", fresh_database(postgres)),
            ):
                told(f"{kind}_{store}", lambda act=act, url=url: act(url, kills=times, seed=seed))
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
