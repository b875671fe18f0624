"""Many visitors at once: does anything mix, fail or grow?

Starts `whyfake serve` (or talks to --url), then each user sends faces of their own and asks about
them until the time is up. An answer that repeats another user's question, or a media id that is not
that of the user's own file, counts as mixed.

Usage: python bench/page_users.py [--users 16] [--minutes 10] [--url URL] [--vlm template] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
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
    parser.add_argument("--vlm", default="template")
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
        for name, value in told.items():
            print(f"{name:24} {value}")
    return int(bool(told["mixed"] or told["failed"]))


def _serve(vlm: str) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("whyfake")), "serve", "--port", str(port)]
    server = subprocess.Popen([*command, "--vlm", vlm], stdout=subprocess.DEVNULL)
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, f"http://127.0.0.1:{port}"
        time.sleep(0.2)
    sys.exit("the server did not start")


def _run(
    url: str, users: int, seconds: float, server: subprocess.Popen[bytes] | None
) -> dict[str, Any]:
    tally: dict[str, list[float]] = {"analyze": [], "ask": []}
    counts = {"mixed": 0, "failed": 0}
    lock = threading.Lock()
    end = time.monotonic() + seconds
    memory = [_memory(server)]

    def user(number: int, folder: Path) -> None:
        photo = folder / f"{number}.png"
        body = _face(number)
        photo.write_bytes(body)
        own = hashlib.sha256(body).hexdigest()
        client = Client(url, verbose=False)
        while time.monotonic() < end:
            asked = f"How sure is this, asks user {number}?"
            try:
                began = time.monotonic()
                told = client.predict(handle_file(str(photo)), False, api_name="/analyze")
                between = time.monotonic()
                answer = client.predict(asked, 1, api_name="/ask")
                after = time.monotonic()
            except Exception as error:  # noqa: BLE001 - every failure is counted
                with lock:
                    counts["failed"] += 1
                print(f"user {number}: {error}", file=sys.stderr)
                continue
            with lock:
                counts["failed"] += told["status"] != "analysed" or "text" not in answer
                counts["mixed"] += told["media"]["id"] != own or answer["question"] != asked
                tally["analyze"].append(between - began)
                tally["ask"].append(after - between)

    with tempfile.TemporaryDirectory() as folder:
        threads = [
            threading.Thread(target=user, args=(i, Path(folder)), daemon=True) for i in range(users)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(5)
            memory.append(_memory(server))
    warm = memory[len(memory) // 4 :]
    return {
        "users": users,
        "seconds": round(seconds),
        "rounds": len(tally["ask"]),
        **counts,
        "analyze_median_s": round(statistics.median(tally["analyze"] or [0]), 2),
        "ask_median_s": round(statistics.median(tally["ask"] or [0]), 2),
        "memory_mb_warm": round(warm[0]),
        "memory_mb_end": round(warm[-1]),
        "memory_mb_peak": round(max(memory)),
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
    return sum(p.memory_info().rss for p in all_of_it) / 1e6


if __name__ == "__main__":
    sys.exit(main())
