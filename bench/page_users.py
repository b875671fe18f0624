"""Many visitors at once: does anything mix, fail or grow?

Starts `whyfake serve` (or talks to --url), then each user sends a photo of their own and asks about
it until the time is up. Mixed: an answer to another user's question, a media id that is not that of
the user's own file, other measured numbers than the same file had the first time. Failed: an error,
a photo that is not analysed, an answer without text.

Usage: python bench/page_users.py [--users 16] [--minutes 10] [--url URL] [--vlm NAME] [--json]
(--vlm: another text backend than the profile's own)
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from gradio_client import Client, handle_file
from PIL import Image
from skimage import data, transform


def main() -> int:
    """Run, report, and say by the exit code whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--url")
    parser.add_argument("--vlm")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    server, url = (None, given.url) if given.url else _serve(given.vlm)
    try:
        told = _run(url, given.users, given.minutes * 60, server)
    finally:
        if server is not None:
            server.terminate()
            server.wait(20)
    if given.json:
        print(json.dumps(told, indent=2))
    else:
        told.pop("memory_mb")
        for name, value in told.items():
            print(f"{name:24} {value}")
    return int(bool(told["mixed"] or told["failed"]))


def _serve(vlm: str | None) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("whyfake")), "serve", "--port", str(port)]
    command += ["--vlm", vlm] if vlm else []
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, f"http://127.0.0.1:{port}"
        time.sleep(0.2)
    sys.exit("the server did not start")


class Tally:
    """What all users saw, counted under one lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seconds: dict[str, list[float]] = {"analyze": [], "ask": []}
        self.mixed = self.failed = 0
        self.fell_back: Counter[str] = Counter()

    def failure(self, number: int, why: object) -> None:
        with self.lock:
            self.failed += 1
        print(f"user {number}: {why}", file=sys.stderr)


def _user(number: int, url: str, folder: Path, end: float, tally: Tally) -> None:
    """Send the same photo and ask the same question until the time is up."""
    photo = folder / f"{number}.png"
    body = _face(number)
    photo.write_bytes(body)
    own = hashlib.sha256(body).hexdigest()
    asked = f"How sure is this, asks user {number}?"
    client = Client(url, verbose=False)
    first: list[Any] | None = None
    while time.monotonic() < end:
        try:
            began = time.monotonic()
            told = client.predict(handle_file(str(photo)), False, api_name="/analyze")
            between = time.monotonic()
            answer = client.predict(asked, 1, api_name="/ask")
            after = time.monotonic()
        except Exception as error:  # noqa: BLE001 - every failure is counted
            tally.failure(number, error)
            continue
        if told["status"] != "analysed" or "text" not in answer:
            tally.failure(number, told["error"] or answer.get("error"))
            continue
        measured = [(face["logit"], face["box_xyxy"]) for face in told["faces"]]
        first = measured if first is None else first
        with tally.lock:
            tally.mixed += (
                told["media"]["id"] != own or answer["question"] != asked or measured != first
            )
            if answer["fell_back"]:
                tally.fell_back[answer["fallback_reason"]] += 1
            tally.seconds["analyze"].append(between - began)
            tally.seconds["ask"].append(after - between)


def _run(
    url: str, users: int, seconds: float, server: subprocess.Popen[bytes] | None
) -> dict[str, Any]:
    tally = Tally()
    began = time.monotonic()
    loads = [os.getloadavg()[0]]
    memory = [(0.0, _memory(server))]
    with tempfile.TemporaryDirectory() as folder:
        job = (url, Path(folder), began + seconds, tally)
        threads = [
            threading.Thread(target=_user, args=(i, *job), daemon=True) for i in range(users)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(5)
            memory.append((time.monotonic() - began, _memory(server)))
            loads.append(os.getloadavg()[0])
    return {
        "users": users,
        "seconds": round(time.monotonic() - began),
        "rounds": len(tally.seconds["ask"]),
        "mixed": tally.mixed,
        "failed": tally.failed,
        "template_instead_of_model": dict(tally.fell_back),
        "analyze_median_s": round(statistics.median(tally.seconds["analyze"] or [0]), 2),
        "ask_median_s": round(statistics.median(tally.seconds["ask"] or [0]), 2),
        **_growth(memory),
        "cores": os.cpu_count(),
        "load_average_mean": round(statistics.mean(loads), 1),
        "memory_mb": [round(used) for _, used in memory],  # every 5 s
    }


def _growth(memory: list[tuple[float, float]]) -> dict[str, float]:
    """Memory of the second and the last quarter (medians), the peak, and the slope between."""
    quarter = max(1, len(memory) // 4)
    warm, last = memory[quarter : 2 * quarter] or memory[-1:], memory[-quarter:]
    told = [statistics.median(used for _, used in part) for part in (warm, last)]
    minutes = max((last[0][0] - warm[0][0]) / 60, 1e-9)
    return {
        "memory_mb_warm": round(told[0]),
        "memory_mb_end": round(told[1]),
        "memory_mb_peak": round(max(used for _, used in memory)),
        "memory_mb_a_minute": round((told[1] - told[0]) / minutes, 1),
    }


def _face(number: int) -> bytes:
    """The astronaut, turned a little for each user so that no two files are alike."""
    turned = transform.rotate(data.astronaut(), number / 2, mode="edge", preserve_range=True)
    buffer = io.BytesIO()
    Image.fromarray(turned.astype("uint8")).save(buffer, "PNG")
    return buffer.getvalue()


def _memory(server: subprocess.Popen[bytes] | None) -> float:
    """Resident memory of the server and its children in MB; 0 where it is not ours."""
    if server is None or server.poll() is not None:
        return 0.0
    process = psutil.Process(server.pid)
    all_of_it = [process, *process.children(recursive=True)]
    return float(sum(p.memory_info().rss for p in all_of_it)) / 1e6


if __name__ == "__main__":
    sys.exit(main())
