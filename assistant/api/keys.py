"""Keys of the API: shown once, kept as a SHA-256, each with scopes, an owner and a rate."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Engine, insert, select, update

from assistant.cases import log
from assistant.cases.database import digest, now, reading, writing
from assistant.cases.rules import person
from assistant.cases.tables import api_keys
from assistant.errors import CaseError

__all__ = ["SCOPES", "Key", "all_keys", "find_key", "make_key", "revoke_key"]

SCOPES = ("analyze", "read", "ask", "decide", "metrics")
_BEGIN = "wf_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Who calls, and what they may: ``per_minute`` calls in any 60 seconds."""

    id: str
    owner: str
    scopes: frozenset[str]
    per_minute: int


def make_key(engine: Engine, *, owner: str, scopes: list[str], per_minute: int = 60) -> str:
    """Store a new key and return its text, which is not kept.

    Raises:
        CaseError: an unknown scope, or no owner.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise CaseError(
            f"Unknown scopes: {', '.join(unknown) or 'none given'}.",
            hint=f"Use {', '.join(SCOPES)}.",
            code="bad-value",
        )
    text, key_id, who = _BEGIN + secrets.token_urlsafe(32), secrets.token_hex(8), person(owner)
    with writing(engine) as connection:
        connection.execute(
            insert(api_keys).values(
                id=key_id,
                sha256=digest(text),
                owner=who,
                scopes=" ".join(sorted(set(scopes))),
                per_minute=per_minute,
                created_at=now(),
            )
        )
        log.append(
            connection,
            actor=who,
            action="key-made",
            case_id=None,
            detail={"key": key_id, "scopes": sorted(set(scopes))},
        )
    return text


def find_key(engine: Engine, text: str) -> Key | None:
    """The key of that text; None where there is none or it was revoked."""
    with reading(engine) as connection:
        row = connection.execute(
            select(api_keys).where(
                api_keys.c.sha256 == digest(text.encode("utf-8", "surrogateescape")),
                api_keys.c.revoked_at.is_(None),
            )
        ).first()
    if row is None:
        return None
    return Key(
        id=row.id,
        owner=row.owner,
        scopes=frozenset(row.scopes.split()),
        per_minute=row.per_minute,
    )


def all_keys(engine: Engine) -> list[dict[str, object]]:
    """Every key without its hash, revoked ones too."""
    columns = [c for c in api_keys.c if c.name != "sha256"]
    with reading(engine) as connection:
        rows = connection.execute(select(*columns).order_by(api_keys.c.created_at)).mappings()
        return [dict(row) for row in rows]


def revoke_key(engine: Engine, key_id: str, *, actor: str) -> None:
    """End a key at once.

    Raises:
        CaseError: there is none of that id.
    """
    with writing(engine) as connection:
        done = connection.execute(
            update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=now())
        )
        if not done.rowcount:
            raise CaseError(f"There is no key {key_id!r}.", code="no-such-key")
        log.append(
            connection,
            actor=person(actor),
            action="key-revoked",
            case_id=None,
            detail={"key": key_id},
        )
