"""Outgoing webhooks, signed as Standard Webhooks are, tried again until they arrive.

A message is entered in the transaction that writes what it tells of, so none is lost and none tells
of what was never written. It may arrive twice: receivers go by its id.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import Connection, Engine, insert, select, update
from standardwebhooks import Webhook

from assistant.cases.database import canonical, later, now, reading, writing
from assistant.cases.tables import deliveries
from assistant.errors import ConfigError

__all__ = ["WAITS", "Webhooks", "dead_letters", "try_again"]

_log = logging.getLogger(__name__)

#: Seconds between attempts; after the last one a message is a dead letter.
WAITS = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
_TIMEOUT = 15.0
_ONE_SENDER = 60.0


class Webhooks:
    """Sends what happens to cases to one address.

    Args:
        engine: the case store's database.
        url: where to; https, or this machine.
        secret: ``whsec_`` and base64, which the receiver knows too.
        client: sends; redirects are not followed.

    Raises:
        ConfigError: the address or the secret does not fit.
    """

    def __init__(
        self, engine: Engine, url: str, secret: str, *, client: httpx.Client | None = None
    ) -> None:
        self._engine = engine
        self._url = _checked(url)
        try:
            self._signer = Webhook(secret)
        except (RuntimeError, ValueError) as error:
            raise ConfigError(
                "The secret of the webhook is not whsec_ followed by base64.",
                hint="Make one of 24 to 64 random bytes.",
                code="webhook-secret",
            ) from error
        self._client = client or httpx.Client(timeout=_TIMEOUT, follow_redirects=False)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def enter(self, within: Connection, kind: str, case_id: str, **data: Any) -> None:
        """Put a message in the queue, in the writing transaction that is open.

        ``kind`` is ``case.created``, ``case.decided`` or ``case.appealed``; ``data`` are further
        fields, without pictures and names of people.
        """
        body = {"type": kind, "timestamp": now(), "data": {"case": case_id, **data}}
        within.execute(
            insert(deliveries).values(
                id=uuid.uuid4().hex,
                event_id=f"msg_{uuid.uuid4().hex}",
                url=self._url,
                body=canonical(body),
                attempts=0,
                next_at=now(),
                delivered=False,
                dead=False,
                error="",
            )
        )

    def step(self) -> bool:
        """Try the message that is due longest; False where none is."""
        with writing(self._engine) as connection:
            due = (
                deliveries.c.url == self._url,
                deliveries.c.delivered.is_(False),
                deliveries.c.dead.is_(False),
                deliveries.c.next_at <= now(),
            )
            row = connection.execute(
                select(deliveries).where(*due).order_by(deliveries.c.next_at).limit(1)
            ).first()
            if row is None:
                return False
            # Held back from other senders; one that is killed leaves it to them after a minute.
            connection.execute(_of(row.id).values(next_at=later(_ONE_SENDER)))
        error = self._send(row.event_id, row.body)
        values: dict[str, Any] = {"attempts": row.attempts + 1, "error": error[:300]}
        if not error:
            values.update(delivered=True, next_at=None)
        elif row.attempts >= len(WAITS):
            values.update(dead=True, next_at=None)
        else:
            values["next_at"] = later(WAITS[row.attempts])
        with writing(self._engine) as connection:
            connection.execute(_of(row.id).values(**values))
        return True

    def start(self) -> None:
        """Send in a thread until :meth:`stop`."""
        self._thread = threading.Thread(target=self._run, name="whyfake-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the message in hand."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._client.close()

    def _send(self, event_id: str, body: str) -> str:
        """Empty where it arrived, else why not."""
        at = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(event_id, at, body),
        }
        try:
            answer = self._client.post(self._url, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "" if answer.is_success else f"status {answer.status_code}"

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self.step()
            except Exception:  # noqa: BLE001
                _log.exception("a webhook could not be sent")
                worked = False
            if not worked:
                self._stop.wait(1.0)


def dead_letters(engine: Engine) -> list[Mapping[str, Any]]:
    """Messages that were given up, oldest first."""
    with reading(engine) as connection:
        rows = connection.execute(select(deliveries).where(deliveries.c.dead.is_(True))).mappings()
        return [{**row, "body": json.loads(row["body"])} for row in rows]


def try_again(engine: Engine) -> int:
    """Put all dead letters back in the queue; returns how many."""
    with writing(engine) as connection:
        done = connection.execute(
            update(deliveries)
            .where(deliveries.c.dead.is_(True))
            .values(dead=False, attempts=0, next_at=now())
        )
        return int(done.rowcount)


def _of(delivery_id: str) -> Any:
    return update(deliveries).where(deliveries.c.id == delivery_id)


def _checked(url: str) -> str:
    parsed = httpx.URL(url)
    here = parsed.host in ("127.0.0.1", "localhost", "::1")
    if not (parsed.scheme == "https" or (parsed.scheme == "http" and here)) or parsed.userinfo:
        raise ConfigError(
            "A webhook goes to an https address without a password in it, or to this machine.",
            hint="For example https://example.org/hook.",
            code="webhook-address",
        )
    return url
