"""The openai backend against servers that answer well, badly, late or not at all."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from assistant.errors import ConfigError, GenerationTimeout, InferenceError, OutOfMemory
from assistant.types import Message, VlmRequest
from assistant.vlm.openai import OpenAIBackend
from tests.unit.vlm.test_chat import request as some_request

EVENT = 'data: {"choices":[{"delta":{"content":"ok"},"finish_reason":%s}]}\n\n'
GOOD = (EVENT % "null" + EVENT % '"stop"' + "data: [DONE]\n\n").encode()
SSE = "text/event-stream"


class Server:
    """Answers each request with the next of ``answers`` (status, type, body); the last repeats."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str, bytes]] = [(200, SSE, GOOD)]
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.wait = 0.0
        self.stall = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.bodies.append(json.loads(self.rfile.read(length)))
                outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                time.sleep(outer.wait)
                answers = outer.answers
                status, kind, body = answers.pop(0) if len(answers) > 1 else answers[0]
                with contextlib.suppress(ConnectionError):  # who asked may have gone
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.end_headers()
                    self.wfile.write(body)
                    self.wfile.flush()
                time.sleep(outer.stall)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/v1/"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def ask(server: Server, **options: Any) -> str:
    made = OpenAIBackend(server.url, "a-model", **options)
    return "".join(made.stream(asked(), threading.Event()))


def asked() -> VlmRequest:
    return some_request(Message(role="user", content="hi"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, "application/json", b'{"error":{"message":"boom"}}'), "500.*boom"),
        ((400, "application/json", b'{"error":{"message":"too long"}}'), "400.*too long"),
        ((401, "application/json", b"{}"), "refused the key"),
        ((404, "application/json", b'{"error":"no such model"}'), "no such model"),
        ((502, "text/html", b"<html>bad gateway</html>"), "502.*no readable reason"),
        ((200, "text/html", b"<html>welcome</html>"), "web page"),
        ((200, SSE, b"data: this is not json\n\n"), "not a chat stream"),
        ((200, SSE, b"data: []\n\n"), "not a chat stream"),
        ((200, SSE, b"data: 3\n\n"), "not a chat stream"),
        ((200, SSE, b'data: {"choices": 3}\n\n'), "not a chat stream"),
        ((200, SSE, b'data: {"choices": [3]}\n\n'), "not a chat stream"),
        ((200, SSE, b'data: {"nothing": 1}\n\n'), "not a chat stream"),
        ((200, SSE, b'data: {"choices":[{"delta":{"content":[1]}}]}\n\n'), "not a chat stream"),
        ((200, "application/json", b'{"choices": []}'), "not a chat stream"),
        ((200, SSE, b'data: {"error":{"message":"engine died"}}\n\n'), "engine died"),
        ((200, SSE, (EVENT % "null").encode()), "broke off"),
        ((200, SSE, b""), "not a chat stream"),
        ((200, "text/plain", b"\xff\xfe\x00garbage\n" * 50), "not a chat stream"),
    ],
)
def test_a_bad_answer_is_a_typed_error_with_a_remedy(
    server: Server, answer: tuple[int, str, bytes], words: str
) -> None:
    server.answers = [answer]
    with pytest.raises(InferenceError, match=words) as caught:
        ask(server, retries=1)
    assert caught.value.hint


def test_out_of_memory_at_the_server_is_named(server: Server) -> None:
    server.answers = [(500, "application/json", b'{"error":{"message":"CUDA out of memory"}}')]
    with pytest.raises(OutOfMemory):
        ask(server, retries=0)


def test_what_may_pass_is_tried_again(server: Server) -> None:
    server.answers = [(503, "text/plain", b""), (429, "text/plain", b""), (200, SSE, GOOD)]
    assert ask(server, retries=2) == "okok"
    assert len(server.bodies) == 3


def test_a_wrong_request_is_not_tried_again(server: Server) -> None:
    server.answers = [(400, "application/json", b"{}")]
    with pytest.raises(InferenceError):
        ask(server, retries=3)
    assert len(server.bodies) == 1


def test_a_server_that_cannot_stream_still_answers(server: Server) -> None:
    whole = {"choices": [{"message": {"content": "all at once"}}]}
    server.answers = [(200, "application/json", json.dumps(whole).encode())]
    assert ask(server) == "all at once"


def test_an_end_without_done_is_an_end_where_a_reason_was_given(server: Server) -> None:
    server.answers = [(200, SSE, (EVENT % '"stop"').encode())]
    assert ask(server) == "ok"


@pytest.mark.parametrize(("wait", "stall", "words"), [(5, 0, []), (0, 5, ["ok"])])
def test_a_server_that_hangs_is_a_timeout_with_a_remedy(
    server: Server, wait: float, stall: float, words: list[str]
) -> None:
    """Before its first word, and in the middle of its answer."""
    server.wait, server.stall = wait, stall
    server.answers = [(200, SSE, (EVENT % "null").encode())]
    made = OpenAIBackend(server.url, "m", first_token_timeout=0.4)
    pieces = made.stream(asked(), threading.Event())
    began = time.monotonic()
    got: list[str] = []
    with pytest.raises(GenerationTimeout, match="gave nothing") as caught:
        got.extend(pieces)
    assert time.monotonic() - began < 3
    assert got == words
    assert caught.value.hint


def test_nobody_listening_is_a_typed_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = OpenAIBackend(f"http://127.0.0.1:{port}/v1", "m", retries=1)
    with pytest.raises(InferenceError, match="connection"):
        list(made.stream(asked(), threading.Event()))


def test_the_key_comes_from_the_environment_and_stays_out_of_sight(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret")
    made = OpenAIBackend(server.url, "m", api_key_env="MY_KEY")
    list(made.stream(asked(), threading.Event()))
    assert server.headers[0]["authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(made.provenance())
    monkeypatch.delenv("MY_KEY")
    list(made.stream(asked(), threading.Event()))
    assert "authorization" not in server.headers[1]


def test_picture_schema_and_limits_are_sent(server: Server) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    ask(server, json_schema=schema)
    body = server.bodies[0]
    assert body["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/jpeg")
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert body["max_tokens"] == asked().max_new_tokens
    assert body["stream"] is True


def test_stop_is_noticed_while_the_server_has_said_nothing_yet(server: Server) -> None:
    server.wait = 5
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    made = OpenAIBackend(server.url, "m")
    assert list(made.stream(asked(), stop)) == []
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x", "file:///etc/passwd"])
def test_a_wrong_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        OpenAIBackend(url, "m")


@pytest.mark.parametrize("url", ["http://", "http://[::bad/v1", "http://a b/v1"])
def test_an_address_that_is_no_url_is_a_typed_error(url: str) -> None:
    make: Callable[[], OpenAIBackend] = lambda: OpenAIBackend(url, "m", retries=0)  # noqa: E731
    with pytest.raises(InferenceError):
        list(make().stream(asked(), threading.Event()))
