"""Hostile requests and generated ones: a typed answer each, no 5xx, nothing told in the logs."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.drawn import drawn_faces, png
from tests.unit.api.conftest import Api
from tests.unit.api.hostile import CLIPS, FAMILIES, MARK, Sent


def test_there_are_enough_of_them() -> None:
    assert sum(len(family) for family in FAMILIES.values()) >= 250


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine that takes down who comes: nobody may."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    connection, who = server.accept()
                except OSError:
                    return
                came.append(who)
                connection.close()

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("family", FAMILIES)
def test_hostile_requests_get_a_typed_answer(
    api: Api,
    family: str,
    caplog: pytest.LogCaptureFixture,
    listener: tuple[int, list[object]],
) -> None:
    caplog.set_level(logging.DEBUG)
    port, came = listener
    before = len(api.store.list())
    keys: dict[Any, dict[str, str]] = {}
    for sent in FAMILIES[family]:
        words = _with_port(sent.words, port)
        if isinstance(sent.key, str):
            own = {"Authorization": sent.key.encode("latin-1")}
        else:
            if sent.key not in keys:
                keys[sent.key] = api.key(*sent.key)
            own = keys[sent.key]
        words["headers"] = {**own, **words.get("headers", {})}
        answer = api.client.request(sent.method, sent.path, **words)
        _check(sent, answer)
    assert came == []
    assert len(api.store.list()) == before
    assert api.store.verify().whole
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore", "asyncio"))]
    told = "\n".join(f"{r.getMessage()}\n{r.exc_text or ''}" for r in ours)
    assert MARK not in told
    assert "wf_" not in told


def _with_port(words: dict[str, Any], port: int) -> dict[str, Any]:
    made = {name: value for name, value in words.items() if name not in ("content", "data", "json")}
    for name in ("content", "data", "json"):
        value = words.get(name)
        if isinstance(value, str):
            value = value.replace("{port}", str(port))
        elif name in words and not isinstance(value, bytes) and "{port}" in json.dumps(value):
            value = json.loads(json.dumps(value).replace("{port}", str(port)))
        if name in words:
            made[name] = value
    return made


def _check(sent: Sent, answer: Any) -> None:
    about = (sent.method, sent.path[:80], str(sent.words)[:200], answer.status_code, answer.text)
    assert 400 <= answer.status_code < 500, about
    assert answer.headers["content-type"] == "application/problem+json", about
    told = answer.json()
    assert told["code"], about
    assert told["detail"], about
    assert told["status"] == answer.status_code, about
    assert MARK not in answer.text, about
    assert "Traceback" not in answer.text, about


def test_broken_clips_are_jobs_that_end_in_a_typed_error(api: Api) -> None:
    for data in CLIPS:
        sent = api.analyze(data)
        assert sent.status_code == 202, sent.text
        end = time.monotonic() + 60
        while (job := api.client.get(sent.headers["location"], headers=api.ann).json())[
            "state"
        ] in ("waiting", "running"):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert job["state"] == "failed"
        assert job["error"]["code"] != "internal-error"
        assert job["error"]["hint"]
    assert len(api.store.list()) == 0


def test_what_is_another_keys_own_stays_so(api: Api) -> None:
    """Jobs and idempotency keys of somebody else."""
    queued = api.client.app.state.service
    from assistant.api.jobs import Jobs

    job = Jobs(queued.store).add(b"x", key_id="somebody", request={"owner": "x"})
    answer = api.client.get(f"/v1/jobs/{job}", headers=api.ann)
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-job")
    send = {"files": {"media": ("x", png(drawn_faces()))}}
    first = api.client.post(
        "/v1/analyze", headers={**api.ann, "Idempotency-Key": "same"}, **send
    ).json()
    other = api.client.post("/v1/analyze", headers={**api.bob, "Idempotency-Key": "same"}, **send)
    assert other.json()["case"] != first["case"]
    assert "idempotent-replayed" not in other.headers


def test_nothing_of_a_picture_is_logged_where_all_goes_well(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    data = png(drawn_faces())
    form = {"files": {"media": (f"{MARK}.png", data)}, "data": {"subject": MARK}}
    case = api.client.post("/v1/analyze", headers=api.ann, **form).json()["case"]
    text = base64.b64encode(data).decode()
    api.client.post("/v1/analyze", headers=api.ann, json={"media": text})
    asked = api.client.post(
        f"/v1/cases/{case}/ask", headers=api.ann, json={"question": f"Is {MARK} real?"}
    )
    assert "event: answer" in asked.text
    told = "\n".join(r.getMessage() for r in caplog.records)
    assert MARK not in told
    assert text[100:160] not in told
