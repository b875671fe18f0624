"""Every curl command of docs/api.md, run against a server that is started for it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.drawn import drawn_faces, png
from tests.unit.api.test_api import clip

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables that the page's commands use, with a server behind them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ASSISTANT_CASES__URL": f"sqlite:///{tmp_path / 'c.db'}",
        "ASSISTANT_CASES__KEY_FILE": str(tmp_path / "key"),
    }
    whyfake = [sys.executable, "-m", "assistant.cli.main"]

    def run(*words: str) -> str:
        return subprocess.run(
            [*whyfake, *words], env=environment, capture_output=True, text=True, check=True
        ).stdout

    (tmp_path / "key").write_text(run("cases", "key"))
    (command,) = re.findall(r"^\$ whyfake (api keys make .*)$", PAGE, re.MULTILINE)
    key = run(*command.split()).strip()
    server = subprocess.Popen(
        [*whyfake, "api", "serve", "--demo-fakes", "--port", str(port)],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    api = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if httpx.get(f"{api}/v1/health", trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield {**environment, "API": api, "KEY": key, "no_proxy": "127.0.0.1"}
    finally:
        server.terminate()
        server.wait(timeout=60)


@pytest.mark.timeout(300)
def test_every_command_of_the_page_is_answered(shell: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png(drawn_faces()))
    (tmp_path / "clip.mp4").write_bytes(clip())
    assert len(BLOCKS) >= 8
    script = "set -e\n" + "\necho; echo ---\n".join(
        block.replace("curl -s", "curl --fail-with-body -s") for block in BLOCKS
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=shell, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr)
    told = [text.strip() for text in done.stdout.split("\n---\n")]
    assert json.loads((tmp_path / "case.json").read_text())["analysis"]["status"] == "analysed"
    assert json.loads(told[1])["explained"] is False
    assert json.loads(told[2])["state"] in ("waiting", "running", "done")
    assert (tmp_path / "case.pdf").read_bytes().startswith(b"%PDF")
    assert "event: answer" in told[4]
    assert told[5].endswith('{"state":"appealed"}')
    assert json.loads(told[6].splitlines()[0].split("}")[0] + "}")["status"] == "up"
    assert json.loads(told[7])["status"][0]["response"]["output"]
    _check_the_osprey_function(shell, tmp_path)


OSPREY = """
import base64, pathlib, sys, types
from typing import Generic, TypeVar

A, R = TypeVar("A"), TypeVar("R")
class UDFBase(Generic[A, R]): ...
class ArgumentsBase:
    def __init__(self, **given): self.__dict__.update(given)
class ExpectedUdfException(Exception): ...
for name, values in {
    "osprey.engine.executor.execution_context": {
        "ExecutionContext": object, "ExpectedUdfException": ExpectedUdfException},
    "osprey.engine.udf.arguments": {"ArgumentsBase": ArgumentsBase},
    "osprey.engine.udf.base": {"UDFBase": UDFBase},
    "osprey.worker.adaptor.plugin_manager": {"hookimpl_osprey": lambda act: act},
}.items():
    parts = name.split(".")
    for i in range(1, len(parts)):
        sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(parts[i - 1]))
    sys.modules[name] = types.SimpleNamespace(**values)
exec(pathlib.Path("udf.py").read_text())
(function,) = register_udfs()
def score(path):
    picture = base64.b64encode(pathlib.Path(path).read_bytes()).decode()
    return function().execute(None, WhyfakeArguments(picture=picture))
print(score("photo.png"))
try:
    score("grey.png")
except ExpectedUdfException:
    print("no value")
"""


def _check_the_osprey_function(shell: dict[str, str], tmp_path: Path) -> None:
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "osprey" in b]
    (tmp_path / "udf.py").write_text(block)
    (tmp_path / "grey.png").write_bytes(png(np.full((90, 90, 3), 60, np.uint8)))
    done = subprocess.run(
        [sys.executable, "-c", OSPREY],
        cwd=tmp_path,
        env=shell,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    score, without = done.stdout.splitlines()
    assert 0 <= float(score) <= 1
    assert without == "no value"
