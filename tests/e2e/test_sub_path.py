"""The page and the API behind a proxy, each under a path of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.reverse_proxy import proxied
from tests.e2e.steps import FACE, answers, ask, drop, explained

gradio_client = pytest.importorskip("gradio_client")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """``url`` of a proxy: the page under /whyfake/, the API under /whyfake-api/; its ``key``."""
    page, api = _free_port(), _free_port()
    command = [sys.executable, "-m", "assistant.cli.main"]
    key_file = tmp_path_factory.mktemp("cases") / "cases.key"
    cases = f"sqlite:///{key_file.with_name('cases.db')}"
    common = ["--set", f"cases.url={cases}", "--set", f"cases.key_file={key_file}"]

    def said(*words: str) -> str:
        done = subprocess.run(
            [*command, *common, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    key_file.write_text(said("cases", "key"))
    key_file.chmod(0o600)
    key = said("api", "keys", "make", "tester")
    servers = [
        subprocess.Popen(
            [*command, *common, *words, "--demo-fakes"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for words in (
            ["serve", "--port", str(page), "--root-path", "/whyfake"],
            ["api", "serve", "--port", str(api), "--root-path", "/whyfake-api"],
        )
    ]
    try:
        for server, port in zip(servers, (page, api), strict=True):
            _wait_for(server, port)
        with proxied({"/whyfake": page, "/whyfake-api": api}) as address:
            yield SimpleNamespace(url=address, key=key)
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(20)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 120
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"nothing listens on {port}")


def test_a_browser_uploads_and_is_answered_under_the_sub_path(
    chromium: Any, behind: SimpleNamespace
) -> None:
    asked: list[str] = []
    context = chromium.new_context()
    context.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{behind.url}/whyfake/")
    drop(page)
    explained(page)
    expect(page.locator("#wf-verdict [data-verdict]")).to_contain_text("probability")
    ask(page, "Why?")
    answers(page)
    context.close()
    own = [url for url in asked if url.startswith("http")]
    assert own
    assert [url for url in own if not url.startswith(f"{behind.url}/whyfake/")] == []


def test_a_program_calls_the_pages_endpoints_under_the_sub_path(
    behind: SimpleNamespace, tmp_path: Path
) -> None:
    (photo := tmp_path / "photo.png").write_bytes(FACE)
    client = gradio_client.Client(f"{behind.url}/whyfake/", verbose=False)
    told = client.predict(gradio_client.handle_file(str(photo)), False, api_name="/analyze")
    assert told["status"] == "analysed"


def test_the_api_answers_under_its_own_sub_path(behind: SimpleNamespace) -> None:
    base = f"{behind.url}/whyfake-api"
    described = httpx.get(f"{base}/v1/openapi.json", timeout=20).json()
    assert described["servers"] == [{"url": "/whyfake-api"}]
    answer = httpx.post(
        f"{base}/v1/analyze",
        headers={"Authorization": f"Bearer {behind.key}"},
        files={"media": ("photo.png", FACE)},
        data={"explain": "false"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["analysis"]["status"] == "analysed"
