"""``whyfake serve`` as a stranger starts it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture
def address() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "assistant.cli.main", "serve", "--demo-fakes"]
    server = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert server.stdout is not None
    try:
        said = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found, f"it says {said!r}"
        yield found.group()
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


def test_serve_prints_an_address_that_answers(address: str) -> None:
    answer = httpx.get(address, timeout=20)
    assert answer.status_code == 200
    assert "Whyfake" in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
