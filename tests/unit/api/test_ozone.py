"""Ozone, against a double that speaks its lexicon over HTTP on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from assistant.cases.database import open_database
from assistant.cases.store import CaseStore
from assistant.cli.main import main
from assistant.errors import CaseError
from assistant.integrations.ozone import Ozone, Subject, events_of

RECORD = json.loads((Path(__file__).parents[2] / "golden/doors/record.json").read_text())
SUBJECT = Subject(uri="at://did:plc:someone/app.bsky.feed.post/3k", cid="bafyreib")
DID, SERVICE = "did:plc:moderator", "did:plc:ozone"
TAKEN = {"Tag", "PriorityScore", "Comment"}


class Double:
    """What the lexicon says of ``emitEvent`` and ``queryEvents``; loses events if told to."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.lose = self.refuse = 0
        self.requests: list[dict[str, Any]] = []

    def answer(self, method: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if method == "com.atproto.server.createSession":
            if body["password"] != "right":
                return 401, {"error": "AuthenticationRequired", "message": "no"}
            jwt = "e30.eyJleHAiOjk5OTk5OTk5OTl9.eHh4"
            return 200, {"did": DID, "handle": "mod.test", "accessJwt": jwt, "refreshJwt": jwt}
        if method == "com.atproto.server.getSession":
            return 200, {"did": DID, "handle": "mod.test"}
        if method == "tools.ozone.moderation.emitEvent":
            return self._emitted(body)
        assert method == "tools.ozone.moderation.queryEvents", method
        types = query.get("types", [])
        found = [e for e in self.events if e["event"]["$type"] in types]
        return 200, {"events": [e for e in found if query["createdBy"] == [e["createdBy"]]]}

    def _emitted(self, body: Any) -> tuple[int, Any]:
        self.requests.append(body)
        if self.refuse:
            return 403, {"error": "Forbidden", "message": "not a moderator"}
        view = {
            "id": len(self.requests),
            "event": body["event"],
            "subject": body["subject"],
            "subjectBlobCids": [],
            "createdBy": body["createdBy"],
            "createdAt": "2026-11-28T00:00:00.000Z",
            "modTool": body["modTool"],
        }
        if self.lose:
            self.lose -= 1
        else:
            self.events.append(view)
        return 200, view


@pytest.fixture
def double() -> Iterator[tuple[Double, str]]:
    made = Double()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            parts = urlsplit(self.path)
            method = parts.path.removeprefix("/xrpc/")
            if method.startswith("tools.ozone"):
                assert self.headers["atproto-proxy"] == f"{SERVICE}#atproto_labeler"
            status, told = made.answer(method, parse_qs(parts.query), body)
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do

        def log_message(self, *_words: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def door(url: str) -> Ozone:
    return Ozone.log_in(url, SERVICE, "mod.test", "right")


def test_a_tag_a_priority_and_a_sticky_comment_and_nothing_else(
    double: tuple[Double, str],
) -> None:
    there, url = double
    ids = door(url).push(RECORD, "c" * 32, SUBJECT, report_url="https://example.org/r")
    assert len(ids) == 3
    sent = {e["event"]["$type"].rpartition("modEvent")[2]: e["event"] for e in there.events}
    assert set(sent) == TAKEN
    assert sent["Comment"]["sticky"] is True
    assert all(e["subject"]["cid"] == SUBJECT.cid for e in there.events)
    assert all(e["createdBy"] == DID for e in there.events)


def test_a_second_push_writes_nothing_twice(double: tuple[Double, str]) -> None:
    there, url = double
    first = door(url).push(RECORD, "c" * 32, SUBJECT, report_url="")
    assert door(url).push(RECORD, "c" * 32, SUBJECT, report_url="") == first
    assert len(there.events) == 3


def test_a_lost_event_is_written_again_and_then_told(double: tuple[Double, str]) -> None:
    there, url = double
    there.lose = 1
    assert len(door(url).push(RECORD, "c" * 32, SUBJECT, report_url="")) == 3
    there.lose = 100
    with pytest.raises(CaseError, match="although it took it") as caught:
        door(url).push(RECORD, "d" * 32, SUBJECT, report_url="")
    assert caught.value.code == "ozone-lost"


def test_who_is_refused_is_told_so(double: tuple[Double, str]) -> None:
    there, url = double
    there.refuse = 1
    with pytest.raises(CaseError) as caught:
        door(url).push(RECORD, "c" * 32, SUBJECT, report_url="")
    assert caught.value.code == "ozone-refused"
    with pytest.raises(CaseError, match="log-in was refused"):
        Ozone.log_in(url, SERVICE, "mod.test", "wrong")


def test_without_a_face_or_a_verdict_there_is_no_priority() -> None:
    none = {"analysis": {"status": "no_face", "faces": [], "explanation": None}}
    outside = json.loads(json.dumps(RECORD))
    outside["analysis"]["faces"] = [{**RECORD["analysis"]["faces"][0], "abstained": True}]
    for record in (none, outside):
        kinds = [e["$type"].rpartition("modEvent")[2] for e in events_of(record, "")]
        assert kinds == ["Tag", "Comment"]
    long = json.loads(json.dumps(RECORD))
    long["analysis"]["explanation"] = {"text": "w" * 9000}
    comment = events_of(long, "https://example.org/r")[-1]["comment"]
    assert len(comment) == 2000
    assert comment.endswith("https://example.org/r")


@pytest.mark.parametrize(("uri", "cid"), [("", ""), ("at://did:plc:x/a/b", ""), ("did:plc:x", "c")])
def test_what_is_no_subject_is_refused(uri: str, cid: str) -> None:
    with pytest.raises(CaseError, match="no subject"):
        Subject(uri=uri, cid=cid)


def test_a_case_is_pushed_from_the_command_line(
    double: tuple[Double, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there, url = double
    address = f"sqlite:///{tmp_path / 'c.db'}"
    store = CaseStore(open_database(address))
    case = store.create(RECORD, actor="ann")
    store.close()
    monkeypatch.setenv("ASSISTANT_CASES__URL", address)
    monkeypatch.setenv("WHYFAKE_OZONE_PASSWORD", "right")
    words = ["--subject", "did:plc:someone", "--url", url, "--service", SERVICE]
    done = CliRunner().invoke(
        main, ["cases", "push", "ozone", case[:8], *words, "--handle", "mod.test"]
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == ["1", "2", "3"]
    assert there.events[0]["subject"]["did"] == "did:plc:someone"
