"""Webhooks and Coop, against doubles made from their published descriptions."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fastapi.testclient import TestClient
from sqlalchemy import update
from standardwebhooks import Webhook

from assistant.api.app import create_api
from assistant.api.keys import SCOPES, make_key
from assistant.cases.database import now, open_database, writing
from assistant.cases.store import CaseStore
from assistant.cases.tables import deliveries
from assistant.errors import AssistantError, CaseError, ConfigError
from assistant.fakes import demo_assistant
from assistant.integrations.coop import CaseCallbacks, item_of, push_item
from assistant.integrations.webhooks import WAITS, Webhooks, dead_letters, try_again
from assistant.settings import Settings
from tests.drawn import drawn_faces, png

SECRET = "whsec_" + base64.b64encode(b"0" * 32).decode()
RECORD: dict[str, Any] = {
    "content_sha256": "0" * 64,
    "perceptual": {"hash": "", "quality": 0},
    "analysis": {"status": "no_face", "faces": []},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaseStore]:
    opened = CaseStore(open_database(f"sqlite:///{tmp_path / 'w.db'}"))
    yield opened
    opened.close()


class Receiver:
    """Takes webhooks as the library of Standard Webhooks does; fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.taken: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.failures:
            self.failures -= 1
            return httpx.Response(503)
        self.taken.append(Webhook(SECRET).verify(request.content, dict(request.headers)))
        return httpx.Response(204)


def hooks(store: CaseStore, receiver: Receiver) -> Webhooks:
    client = httpx.Client(transport=httpx.MockTransport(receiver))
    return Webhooks(store.engine, "https://example.org/hook", SECRET, client=client)


def due(store: CaseStore) -> None:
    with writing(store.engine) as connection:
        connection.execute(
            update(deliveries).where(deliveries.c.next_at.is_not(None)).values(next_at=now())
        )


def test_a_message_arrives_signed_once(store: CaseStore) -> None:
    receiver = Receiver()
    sender = hooks(store, receiver)
    with writing(store.engine) as within:
        case_id = store.create(RECORD, actor="ann", within=within)
        sender.enter(within, "case.created", case_id, status="no_face")
    assert sender.step()
    assert not sender.step()
    (told,) = receiver.taken
    assert told["type"] == "case.created"
    assert told["data"] == {"case": case_id, "status": "no_face"}


def test_a_rolled_back_case_tells_nobody(store: CaseStore) -> None:
    sender = hooks(store, Receiver())

    def create() -> None:
        with writing(store.engine) as within:
            sender.enter(within, "case.created", "x")
            store.create(RECORD, actor="", within=within)

    with pytest.raises(CaseError):
        create()
    assert not sender.step()


def test_a_receiver_that_fails_is_tried_again_and_then_given_up(store: CaseStore) -> None:
    receiver = Receiver(failures=len(WAITS) + 1)
    sender = hooks(store, receiver)
    with writing(store.engine) as within:
        sender.enter(within, "case.created", "x")
    for _ in range(len(WAITS) + 1):
        due(store)
        assert sender.step()
        assert not sender.step()
    (letter,) = dead_letters(store.engine)
    assert letter["error"] == "status 503"
    assert try_again(store.engine) == 1
    assert sender.step()
    assert len(receiver.taken) == 1
    assert dead_letters(store.engine) == []


@pytest.mark.parametrize(
    "url", ["http://example.org/", "ftp://127.0.0.1/", "https://a:b@example.org/", "nothing"]
)
def test_an_address_that_is_not_safe_is_refused(store: CaseStore, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Webhooks(store.engine, url, SECRET)
    assert caught.value.code == "webhook-address"


@pytest.fixture(scope="module")
def coop_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def signed(key: rsa.RSAPrivateKey, body: bytes) -> str:
    return base64.b64encode(key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()


def test_coop_is_sent_what_a_reviewer_needs(store: CaseStore) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(202 if len(sent) == 1 else 401)

    face = {"probability": 0.9, "verdict": "likely_manipulated"}
    record = {"analysis": {"status": "analysed", "faces": [face], "explanation": {"text": "Why."}}}
    item = item_of(record, "c" * 32, item_id="7", type_id="t", report_url="https://example.org/r")
    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        push_item(client, "https://coop.example.org/", "secret", item)
        with pytest.raises(CaseError) as caught:
            push_item(client, "https://coop.example.org", "wrong", item)
    assert caught.value.code == "coop-refused"
    assert str(sent[0].url) == "https://coop.example.org/api/v1/items/async/"
    assert sent[0].headers["x-api-key"] == "secret"
    assert json.loads(sent[0].content) == {
        "items": [
            {
                "id": "7",
                "typeId": "t",
                "data": {
                    "whyfakeCase": "c" * 32,
                    "whyfakeStatus": "analysed",
                    "whyfakeReport": "https://example.org/r",
                    "whyfakeExplanation": "Why.",
                    "whyfakeVerdict": "likely_manipulated",
                    "whyfakeScore": 0.9,
                },
            }
        ]
    }
    nothing = item_of(RECORD, "c" * 32, item_id="7", type_id="t", report_url="")
    assert "whyfakeScore" not in nothing["data"]


def test_callbacks_of_coop_are_kept_where_their_signature_fits(
    store: CaseStore, coop_key: rsa.RSAPrivateKey
) -> None:
    callbacks = CaseCallbacks(store, pem(coop_key))
    app = create_api(store, demo_assistant(), Settings(), coop=callbacks)
    case_id = store.create(RECORD, actor="ann")
    body = json.dumps(
        {
            "item": {"id": "7", "typeId": "t", "data": {"whyfakeCase": case_id}},
            "action": {"id": "label"},
            "policies": [{"id": "p", "name": "Synthetic media", "penalty": "LOW"}],
            "actorEmail": "someone@example.org",
            "decisionReason": "manipulated",
        }
    ).encode()
    place, good = "/v1/compat/coop/callback", signed(coop_key, body)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with TestClient(app) as client:
        for signature in ("", "x", good[:-8] + "AAAAAAA=", signed(other, body)):
            headers = {"Coop-Signature": signature}
            forged = client.post(place, content=body, headers=headers)
            assert (forged.status_code, forged.json()["code"]) == (401, "bad-signature")
        changed = client.post(place, content=body + b" ", headers={"Coop-Signature": good})
        assert changed.status_code == 401
        for _ in range(2):
            kept = client.post(place, content=body, headers={"Coop-Signature": good})
            assert kept.status_code == 204
        strange = b'{"item": 3}'
        told = client.post(
            place, content=strange, headers={"Coop-Signature": signed(coop_key, strange)}
        )
        assert told.json()["code"] == "bad-value"
    (note,) = store.get(case_id).notes
    assert json.loads(note["body"])["decisionReason"] == "manipulated"
    assert "example.org" not in note["body"]
    assert store.get(case_id).row.state == "open"


def test_the_api_tells_of_cases_and_decisions(tmp_path: Path, store: CaseStore) -> None:
    receiver = Receiver()
    sender = hooks(store, receiver)
    app = create_api(store, demo_assistant(), Settings(), webhooks=sender)
    key = make_key(store.engine, owner="ann", scopes=list(SCOPES))
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(app) as client:
        sent = client.post(
            "/v1/analyze", headers=headers, files={"media": ("x", png(drawn_faces()))}
        )
        case_id = sent.json()["case"]
        body = {"outcome": "confirm", "reason": "edges"}
        client.post(f"/v1/cases/{case_id}/decisions", headers=headers, json=body)
        client.post(f"/v1/cases/{case_id}/appeals", headers=headers, json={"text": "no"})
        for _ in range(600):
            if len(receiver.taken) == 3:
                break
            time.sleep(0.05)
    assert [t["type"] for t in receiver.taken] == ["case.created", "case.decided", "case.appealed"]
    assert "edges" not in json.dumps(receiver.taken)


def test_a_key_that_is_none_is_refused(store: CaseStore) -> None:
    with pytest.raises(AssistantError) as caught:
        CaseCallbacks(store, b"no key")
    assert caught.value.code == "coop-key"
