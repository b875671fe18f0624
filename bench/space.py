"""What the Space costs: seconds until its page answers, and the most memory it takes.

Makes the Space's folder and a venv from its own requirements, starts app.py in it, and lets
visitors send a photo each, read the explanation and ask twice. Memory is resident memory of the
server and all its children, looked at four times a second; what two of them share counts twice.

Usage: python bench/space.py [--visitors 1] [--python PATH] [--first-start] [--json]
(--python: an interpreter that has the requirements already; --first-start: with no model files, so
that fetching them counts)
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
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

from assistant.weights import data_dir_or_default

ROOT = Path(__file__).parents[1]
QUESTIONS = ("Which part of the face counted most?", "How sure is this?")


def main() -> int:
    """Measure, report, and say by the exit code whether the limits hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=1)
    parser.add_argument("--python")
    parser.add_argument("--first-start", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "space"
        subprocess.run([str(ROOT / "tools/space.sh"), str(folder)], check=True, capture_output=True)
        python = str(Path(given.python).absolute()) if given.python else _venv(Path(work) / "venv")
        files = Path(work) / "data" if given.first_start else data_dir_or_default()
        told = _measure(folder, python, files, given.visitors)
    told = {"first_start": given.first_start, "own_venv": given.python is None, **told}
    if given.json:
        print(json.dumps(told, indent=1))
    else:
        for name, value in told.items():
            print(f"{name:24} {value}")
    return int(told["start_s"] > 180 or told["peak_mb"] > 2000)


def _venv(path: Path) -> str:
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(path)], check=True)
    python = str(path / "bin/python")
    wanted = ["-r", str(ROOT / "spaces/requirements.txt")]
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *wanted], check=True)
    return python


def _measure(folder: Path, python: str, files: Path, visitors: int) -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env = kept | {"GRADIO_SERVER_PORT": str(port), "ASSISTANT_DATA_DIR": str(files)}
    began = time.monotonic()
    server = subprocess.Popen([python, "app.py"], cwd=folder, env=env, stdout=subprocess.DEVNULL)
    seen = Memory(psutil.Process(server.pid))
    try:
        while not _answers(port):
            if server.poll() is not None:
                sys.exit("the Space did not start")
            time.sleep(0.2)
        start, idle = time.monotonic() - began, seen.now()
        times = psutil.Process(server.pid).cpu_times()
        failed = _visit(f"http://127.0.0.1:{port}", visitors)
        return {
            "start_s": round(start, 1),
            "start_cpu_s": round(times.user + times.system, 1),  # holds on a busy machine too
            "idle_mb": round(sum(idle.values())),
            "peak_mb": round(sum(seen.peak.values())),
            "peak_by_process_mb": {name: round(used) for name, used in seen.peak.items()},
            "end": seen.split(),
            "visitors": visitors,
            "failed": failed,
            "cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[0], 1),
        }
    finally:
        seen.stop.set()
        server.terminate()
        server.wait(20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _visit(url: str, visitors: int) -> int:
    """All visitors at once, each with a photo of their own; how many calls failed."""
    failures: list[object] = []

    def visit(number: int, folder: str) -> None:
        photo = Path(folder) / f"{number}.png"
        turned = transform.rotate(data.astronaut(), number, mode="edge", preserve_range=True)
        Image.fromarray(turned.astype("uint8")).save(photo)
        client = Client(url, verbose=False)
        try:
            told = client.predict(handle_file(str(photo)), True, api_name="/analyze")
            answers = [client.predict(q, 1, api_name="/ask") for q in QUESTIONS]
        except Exception as error:  # noqa: BLE001 - every failure is counted
            failures.append(error)
            return
        failures.extend(a for a in (told, *answers) if a.get("error"))

    with tempfile.TemporaryDirectory() as folder:
        threads = [threading.Thread(target=visit, args=(i, folder)) for i in range(visitors)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return len(failures)


class Memory:
    """Resident memory of a process and its children in MB, watched from a thread."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.peak: dict[str, float] = {}
        self.stop = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def now(self) -> dict[str, float]:
        """By process: ``server``, and its children by name and number."""
        found: dict[str, float] = {}
        try:
            every = [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return found
        for number, process in enumerate(every):
            try:
                name = f"{process.name()}-{number}" if number else "server"
                found[name] = process.memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                continue
        return found

    def split(self) -> dict[str, dict[str, int]]:
        """At this moment: own (anonymous) memory, mapped files, both with shared pages parted."""
        out = {}
        for number, process in enumerate([self._process, *self._process.children(recursive=True)]):
            rows = Path(f"/proc/{process.pid}/smaps_rollup").read_text("utf-8").splitlines()[1:]
            kb = {row.split(":")[0]: int(row.split()[1]) for row in rows}
            out[f"{process.name()}-{number}" if number else "server"] = {
                "rss_mb": round(kb["Rss"] * 1.024e-3),
                "own_mb": round(kb["Anonymous"] * 1.024e-3),
                "files_mb": round((kb["Rss"] - kb["Anonymous"]) * 1.024e-3),
                "proportional_mb": round(kb["Pss"] * 1.024e-3),
            }
        return out

    def _watch(self) -> None:
        while not self.stop.wait(0.25):
            found = self.now()
            if sum(found.values()) > sum(self.peak.values()):
                self.peak = found


if __name__ == "__main__":
    sys.exit(main())
