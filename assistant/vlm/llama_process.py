"""Starts, watches and ends the child process that holds a GGUF model."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import secrets
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import IO, Any

from assistant.errors import GenerationTimeout, InferenceError

__all__ = ["LlamaProcess"]

_LOG = logging.getLogger(__name__)
_SERVER = Path(__file__).with_name("llama_server.py")


class LlamaProcess:
    """A llama.cpp server of our own on loopback, behind a random key. Not thread-safe by itself."""

    def __init__(self, options: dict[str, Any], *, load_seconds: float) -> None:
        self._options = options
        self._load_seconds = load_seconds
        self._process: subprocess.Popen[str] | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None
        self._key = ""
        self._url = ""

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process is not None and self._process.poll() is None

    def died(self, *, seconds: float = 0.5) -> bool:
        """Whether the child has ended, or ends within ``seconds`` (a dying one takes a moment)."""
        if self._process is None:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False

    def responds(self, *, seconds: float = 3.0) -> bool:
        """Whether the child answers at all, which it does while it generates too."""
        import httpx

        try:
            reply = httpx.get(f"{self._url}/health", timeout=seconds, trust_env=False)
        except httpx.HTTPError:
            return False
        return reply.status_code == 200

    @property
    def url(self) -> str:
        """Root address of the running server."""
        return self._url

    @property
    def key(self) -> str:
        """The API key that the running server asks for."""
        return self._key

    def start(self) -> None:
        """Start the child and wait until the model is loaded; nothing to do where it runs.

        Raises:
            GenerationTimeout: not loaded in time.
            InferenceError: the model cannot be loaded; the message says why.
        """
        if self.running:
            return
        self.kill()
        self._key = secrets.token_urlsafe(24)
        # -P keeps this folder off the child's path, where our module names would shadow packages.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-P", str(_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._process = process
        self._finalizer = weakref.finalize(self, _end, process)
        # What asks it takes half a second to import: the child loads its model meanwhile.
        importlib.import_module("openai")
        said = self._exchange(process)
        if "url" in said:
            self._url = said["url"]
            return
        self.kill()
        raise InferenceError(
            f"The text model cannot be loaded: {said.get('error', 'no reason given')}",
            hint="Run `whyfake doctor` and `whyfake weights verify`.",
        )

    def kill(self) -> None:
        """End the child at once; safe to call twice."""
        if self._finalizer is not None:
            self._finalizer()
        self._process, self._finalizer = None, None

    def _exchange(self, process: subprocess.Popen[str]) -> dict[str, str]:
        lines: list[str] = []

        def read() -> None:
            with contextlib.suppress(OSError, ValueError):
                lines.append(_pipe(process.stdout).readline())

        reader = threading.Thread(target=read, name="llama-start", daemon=True)
        with contextlib.suppress(OSError):  # died at once: told below by its exit status
            _pipe(process.stdin).write(json.dumps({**self._options, "key": self._key}) + "\n")
            _pipe(process.stdin).flush()
        reader.start()
        reader.join(self._load_seconds)
        if reader.is_alive():
            self.kill()
            raise GenerationTimeout(
                f"The text model was not loaded within {self._load_seconds:.0f} s.",
                hint="The machine may be busy; try again or use the template backend.",
            )
        try:
            said = json.loads(lines[0])
        except (IndexError, json.JSONDecodeError):
            status = process.wait(5)
            return {"error": f"its process ended with status {status}"}
        return {str(k): str(v) for k, v in said.items()}


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ValueError("the child has no pipe")
    return stream


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        _LOG.warning("the text model's process %d did not end", process.pid)
