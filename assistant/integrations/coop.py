"""ROOST Coop: what is pushed to its review queue, and its signed callbacks.

After the published API of roostorg/coop: items go to ``/api/v1/items/async/`` with ``X-API-KEY``;
item fields may be used in rules and are shown to reviewers, so verdict, score and explanation
reach them without a plug-in. Callbacks carry ``Coop-Signature``: RSASSA-PKCS1-v1_5 with SHA-256
over the raw body, base64. Tested against those shapes, not against Coop itself.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import httpx

from assistant.cases.extras import need
from assistant.cases.store import CaseStore
from assistant.errors import CaseError

__all__ = ["CaseCallbacks", "item_of", "push_item"]

_EXPLANATION = 4000


def item_of(
    record: Mapping[str, Any], case_id: str, *, item_id: str, type_id: str, report_url: str
) -> dict[str, Any]:
    """The item of a case: its fields are shown to the reviewer.

    A file without a face has no score field, so that no rule reads its absence as 0.
    """
    analysis = record["analysis"]
    explanation = analysis.get("explanation") or {}
    data: dict[str, Any] = {
        "whyfakeCase": case_id,
        "whyfakeStatus": analysis["status"],
        "whyfakeReport": report_url,
        "whyfakeExplanation": explanation.get("text", "")[:_EXPLANATION],
    }
    faces = analysis["faces"]
    if faces:
        worst = max(faces, key=lambda face: face["probability"])
        data["whyfakeVerdict"] = worst["verdict"]
        data["whyfakeScore"] = worst["probability"]
    return {"id": item_id, "typeId": type_id, "data": data}


def push_item(client: httpx.Client, base_url: str, api_key: str, item: Mapping[str, Any]) -> None:
    """Send an item.

    Raises:
        CaseError: Coop does not answer 202.
    """
    try:
        answer = client.post(
            f"{base_url.rstrip('/')}/api/v1/items/async/",
            headers={"X-API-KEY": api_key},
            json={"items": [item]},
        )
    except httpx.HTTPError as error:
        raise CaseError(
            f"Coop does not answer ({type(error).__name__}).", hint="Check its address."
        ) from error
    if answer.status_code != 202:
        raise CaseError(
            f"Coop refused the item with status {answer.status_code}.",
            hint="Check its key and the item type's fields.",
            code="coop-refused",
        )


class CaseCallbacks:
    """Puts Coop's callbacks into cases as notes.

    A person in Coop and a decider here are not known to be the same, so a callback changes no
    state: the second person on an appeal stays enforced by the store.

    Args:
        store: where the cases are.
        public_key: Coop's RSA key, PEM.

    Raises:
        CaseError: it is no RSA key.
    """

    def __init__(self, store: CaseStore, public_key: bytes) -> None:
        need("cases", "cryptography")
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(public_key)
        except ValueError as error:
            raise CaseError("Coop's key is no PEM public key.", code="coop-key") from error
        if not isinstance(key, RSAPublicKey):
            raise CaseError("Coop's key is no RSA key.", code="coop-key")
        self._store = store
        self._key = key

    def receive(self, body: bytes, signature: str) -> str:
        """Check and keep a callback; returns the case's id. One that comes again is kept once.

        Raises:
            CaseError: the signature does not fit, or the item names no case of this store.
        """
        self._verify(body, signature)
        try:
            told = json.loads(body)
            case_id = told["item"]["data"]["whyfakeCase"]
        except (ValueError, KeyError, TypeError) as error:
            raise CaseError(
                "The callback names no case.",
                hint="Items carry it in the field whyfakeCase.",
                code="bad-value",
            ) from error
        kept = {name: told[name] for name in _KEPT if name in told}
        text = json.dumps(kept, sort_keys=True, ensure_ascii=False)
        notes = self._store.get(str(case_id)).notes
        if not any(n["kind"] == "callback" and n["body"] == text for n in notes):
            self._store.note(str(case_id), actor="coop", text=text, kind="callback")
        return str(case_id)

    def _verify(self, body: bytes, signature: str) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            self._key.verify(base64.b64decode(signature, validate=True), body, PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise CaseError(
                "The signature does not fit the body.",
                hint="It must be Coop's own, over the body as it was sent.",
                code="bad-signature",
            ) from error


#: What a callback is kept of; the e-mail address of a moderator is not.
_KEPT = ("action", "policies", "rules", "decisionReason", "actorNote", "appealId", "appealDecision")
