"""One command of whyfake in two checkouts, in turns: seconds, CPU seconds and pictures a second.

Usage: python bench/paired.py BEFORE NOW [--rounds N] -- eval detection --manifest FILE --json
       python bench/paired.py BEFORE NOW [--rounds N] -- analyze PHOTO
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import Any


def run(checkout: str, command: list[str]) -> dict[str, float]:
    """One run in a new process; ``pictures_a_second`` where the command prints its throughput."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(
        [sys.executable, "-m", "assistant.cli.main", *command],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": checkout},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if told.returncode not in (0, 3):
        raise SystemExit(f"{checkout}: {told.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = {"seconds": time.perf_counter() - began, "cpu_seconds": cpu}
    try:
        rate = json.loads(told.stdout)["throughput"]["pictures_per_second"]
    except (ValueError, KeyError, TypeError):
        return found
    return {**found, "pictures_a_second": rate}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before")
    parser.add_argument("now")
    parser.add_argument("--rounds", type=int, default=3)
    cut = sys.argv.index("--")
    given, command = parser.parse_args(sys.argv[1:cut]), sys.argv[cut + 1 :]
    rounds = [
        {"before": run(given.before, command), "now": run(given.now, command)}
        for _ in range(given.rounds)
    ]
    names = rounds[0]["now"]
    found: dict[str, Any] = {
        "rounds": [
            {k: {n: round(v, 2) for n, v in r.items()} for k, r in p.items()} for p in rounds
        ],
        "now_over_before": {
            n: round(statistics.median(p["now"][n] / p["before"][n] for p in rounds), 3)
            for n in names
        },
        "load_average": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
