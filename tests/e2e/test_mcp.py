"""The MCP server as an MCP client sees it: two tools, a case for each photo, nothing on disk."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

from assistant.errors import ConfigError
from assistant.ui import create_app, mcp_tools
from tests.e2e.puppet import puppet_assistant
from tests.e2e.steps import FACE, TWO_FACES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's uploads would pass through."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """``whyfake serve --mcp`` in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "assistant.cli.main", "serve", "--demo-fakes", "--mcp"]
    server = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "GRADIO_TEMP_DIR": str(folder)},
    )
    assert server.stdout is not None
    try:
        said = [server.stdout.readline() for _ in range(2)]
        assert f":{port}" in said[0], said
        assert f":{port}/gradio_api/mcp/" in said[1], said
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


def talk(address: str, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """The list of tools, then the answer of each call, made in one connection."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def run() -> list[Any]:
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            out: list[Any] = [(await session.list_tools()).tools]
            for name, given in calls:
                told = await session.call_tool(name, given)
                out.append(told.content[0].text)  # type: ignore[union-attr]
            return out

    return asyncio.run(run())


def read(text: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(text)
    return told


def uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def test_there_are_two_described_tools(address: str) -> None:
    (tools,) = talk(address)
    assert {tool.name for tool in tools} == {"analyze_photo", "ask_about_photo"}
    for tool in tools:
        assert len(tool.description) > 40
        assert all("description" in given for given in tool.inputSchema["properties"].values())


def test_a_photo_is_measured_and_asked_about_and_cases_do_not_mix(
    address: str, folder: Path
) -> None:
    _, one, two = talk(
        address,
        ("analyze_photo", {"photo": uri(FACE), "explain": True}),
        ("analyze_photo", {"photo": base64.b64encode(TWO_FACES).decode(), "explain": False}),
    )
    first, second = read(one), read(two)
    assert first["status"] == second["status"] == "analysed"
    assert (len(first["faces"]), len(second["faces"])) == (1, 2)
    assert first["explanation"]["text"]
    assert first["case"] != second["case"]
    ask = lambda case, face: (  # noqa: E731
        "ask_about_photo",
        {"case": case, "question": "Why?", "face": face},
    )
    _, right, wrong, strange = talk(
        address, ask(second["case"], 2), ask(first["case"], 2), ask("nobody", 1)
    )
    assert read(right)["sentences"]
    assert read(wrong)["error"]["code"] == "no-such-face"
    assert read(strange)["error"]["code"] == "no-such-face"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        ("/etc/hostname", "not-base64"),
        ("http://127.0.0.1:1/photo.png", "not-base64"),
        ("data:image/png;base64,", "empty-file"),
        (base64.b64encode(b"a letter").decode(), None),
    ],
)
def test_what_is_no_photo_is_a_typed_failure(address: str, photo: str, code: str | None) -> None:
    _, text = talk(address, ("analyze_photo", {"photo": photo, "explain": False}))
    told = read(text)
    assert told["status"] == "failed"
    assert code is None or told["error"]["code"] == code
    assert told["error"]["hint"]
    assert "probability" not in text


def test_a_file_larger_than_the_limit_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(mcp_tools.MediaError, match="more than"):
        mcp_tools._decoded("A" * 3000, 1000)


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="mcp") as caught:
        create_app(puppet_assistant()[0], mcp=True)
    assert "pip install" in caught.value.hint
