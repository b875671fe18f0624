"""The ``openai`` backend against two real servers: llama.cpp's own and ``transformers serve``."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.errors import InferenceError
from assistant.vlm.llama_process import LlamaProcess
from assistant.vlm.openai import OpenAIBackend
from tests.contract.test_vlm_backends import request
from tests.tiny_models import write_tiny_gguf, write_tiny_projector, write_tiny_tower

SCHEMA = {
    "type": "object",
    "properties": {"sure": {"type": "boolean"}},
    "required": ["sure"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny language model, picture tower and projector at random weights."""
    from assistant.vlm.mmproj import write_mmproj

    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_gguf(folder / "model.gguf")
    tower = write_tiny_tower(folder / "tower.safetensors")
    projector = write_tiny_projector(folder / "projector.safetensors")
    write_mmproj(tower, projector, folder / "mmproj.gguf")
    return folder


@pytest.fixture(scope="module")
def llama(files: Path) -> Iterator[LlamaProcess]:
    options = {
        "model": str(files / "model.gguf"),
        "mmproj": str(files / "mmproj.gguf"),
        "adapter": "",
        "adapter_scale": 1.0,
        "full_precision": False,
        "context": 2048,
        "cache_mib": 0,
        "threads": 1,
        "batch_threads": 1,
    }
    server = LlamaProcess(options, load_seconds=60)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def backend(llama: LlamaProcess, monkeypatch: pytest.MonkeyPatch) -> OpenAIBackend:
    monkeypatch.setenv("ENGINE_KEY", llama.key)
    return OpenAIBackend(f"{llama.url}/v1", "tiny", api_key_env="ENGINE_KEY")


def test_llama_cpp_streams_an_answer_about_a_picture(backend: OpenAIBackend) -> None:
    pieces = list(backend.stream(request(new=12), threading.Event()))
    assert len(pieces) > 1
    assert "".join(backend.stream(request(new=12), threading.Event())) == "".join(pieces)
    other = "".join(backend.stream(request(new=12, bright=250), threading.Event()))
    assert other != "".join(pieces), "the picture arrives"


def test_llama_cpp_holds_to_a_json_schema(
    llama: LlamaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    monkeypatch.setenv("ENGINE_KEY", llama.key)
    held = OpenAIBackend(f"{llama.url}/v1", "tiny", api_key_env="ENGINE_KEY", json_schema=SCHEMA)
    text = "".join(held.stream(request(new=60), threading.Event()))
    assert set(json.loads(text)) == {"sure"}, "random weights, and yet what was asked for"


def test_llama_cpp_refuses_a_wrong_key_in_our_words(
    llama: LlamaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_KEY", "wrong")
    made = OpenAIBackend(f"{llama.url}/v1", "tiny", api_key_env="ENGINE_KEY")
    with pytest.raises(InferenceError, match="refused the key"):
        list(made.stream(request(), threading.Event()))


def test_stopping_frees_llama_cpp_for_the_next_question(backend: OpenAIBackend) -> None:
    stop = threading.Event()
    pieces = backend.stream(request(new=1500), stop)
    next(pieces)
    stop.set()
    list(pieces)
    began = time.monotonic()
    assert list(backend.stream(request(new=3), threading.Event()))
    assert time.monotonic() - began < 30


@pytest.fixture(scope="module")
def served(files: Path) -> Iterator[tuple[str, str]]:
    """``transformers serve`` with a LLaVA of random weights: its address and the model's name."""
    if os.environ.get("WHYFAKE_ENGINES") != "1":
        pytest.skip("it loads torch once more; set WHYFAKE_ENGINES=1")
    pytest.importorskip("openai", reason="transformers serve needs it")
    command = shutil.which("transformers", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("the command transformers is not installed")
    from tests.llava_folder import write_llava

    folder = files / "llava"
    write_llava(
        files / "tower.safetensors", files / "projector.safetensors", files / "model.gguf", folder
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = files / "serve.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [
                command,
                "serve",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--device",
                "cpu",
                "--dtype",
                "float32",
            ],
            stdout=out,
            stderr=out,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        server.terminate()
        server.wait(20)


def _options(port: int) -> list[str]:
    return ["--host=127.0.0.1", f"--port={port}", "--device=cpu", "--dtype=float32"]


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + 150
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(address, timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    pytest.fail(f"transformers serve does not start:\n{log.read_text('utf-8')[-2000:]}")


def ask(served: tuple[str, str], **options: Any) -> str:
    url, model = served
    made = OpenAIBackend(url, model, api_key_env="", first_token_timeout=120, **options)
    return "".join(made.stream(request(new=12), threading.Event()))


@pytest.mark.slow
def test_transformers_serve_streams_an_answer_about_a_picture(served: tuple[str, str]) -> None:
    text = ask(served)
    assert len(text) > 5
    assert "zebra" not in text
    assert ask(served) == text


@pytest.mark.slow
def test_transformers_serve_knows_no_such_model_in_our_words(served: tuple[str, str]) -> None:
    with pytest.raises(InferenceError) as caught:
        ask((served[0], "nobody/nothing"), retries=0)
    assert caught.value.hint
