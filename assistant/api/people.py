"""People of the case page: roles, passwords, sessions.

A change of a person's role, password or access ends every session of that person in the same
transaction, and a session is looked up at every request: none outlives the change.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from assistant.cases import log
from assistant.cases.database import digest, later, now, reading, writing
from assistant.cases.extras import need
from assistant.cases.rules import person
from assistant.cases.tables import people, sessions
from assistant.errors import CaseError

if TYPE_CHECKING:
    from pwdlib import PasswordHash

__all__ = [
    "MAY",
    "ROLES",
    "Visitor",
    "add_person",
    "all_people",
    "change_password",
    "change_role",
    "end_person",
    "end_session",
    "find_session",
    "log_in",
]

#: What each role may do on the page.
MAY = {
    "viewer": frozenset({"read"}),
    "moderator": frozenset({"read", "ask", "note", "decide", "appeal"}),
    "reviewer": frozenset({"read", "ask", "note", "decide", "appeal", "decide-appeal"}),
    "admin": frozenset({"read", "ask", "note", "decide", "appeal", "decide-appeal", "people"}),
}
ROLES = tuple(MAY)
_SHORTEST = 10
_LONGEST = 1000
_SESSION = 8 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who is logged in; ``token`` must come back with every form."""

    name: str
    role: str
    token: str

    def may(self, what: str) -> bool:
        """Whether the role allows it."""
        return what in MAY[self.role]


@cache
def _hasher() -> PasswordHash:
    need("api", "pwdlib")
    from pwdlib import PasswordHash

    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    """Checked where there is no such person, so that both answers take as long."""
    return _hasher().hash(secrets.token_hex())


def add_person(engine: Engine, name: str, role: str, password: str, *, actor: str) -> None:
    """Let somebody log in.

    Raises:
        CaseError: the name is taken, the role unknown, or the password too short.
    """
    who, hashed = person(name), _hashed(password)
    with writing(engine) as connection:
        if connection.execute(select(people.c.name).where(people.c.name == who)).first():
            raise CaseError(
                f"There is a person {who!r} already.", hint="Change the role.", code="bad-value"
            )
        connection.execute(
            insert(people).values(name=who, role=_role(role), password=hashed, created_at=now())
        )
        _note(connection, actor, "person-added", who, role=role)


def change_role(engine: Engine, name: str, role: str, *, actor: str) -> None:
    """Give another role; every session of the person ends.

    Raises:
        CaseError: there is no such person or role.
    """
    _change(engine, name, actor, "role-changed", {"role": _role(role)}, role=role)


def change_password(engine: Engine, name: str, password: str, *, actor: str) -> None:
    """Set another password; every session of the person ends."""
    _change(engine, name, actor, "password-changed", {"password": _hashed(password)})


def end_person(engine: Engine, name: str, *, actor: str) -> None:
    """Let a person log in no more; what they decided stays theirs."""
    _change(engine, name, actor, "person-ended", {"ended_at": now()})


def all_people(engine: Engine) -> list[dict[str, Any]]:
    """Everybody, without passwords."""
    columns = [c for c in people.c if c.name != "password"]
    with reading(engine) as connection:
        rows = connection.execute(select(*columns).order_by(people.c.name)).mappings()
        return [dict(row) for row in rows]


def log_in(engine: Engine, name: str, password: str) -> str | None:
    """A new session's text, which is kept as a SHA-256; None where name or password is wrong."""
    try:
        who = person(name)
    except CaseError:
        who = ""
    with reading(engine) as connection:
        found = connection.execute(
            select(people.c.password).where(people.c.name == who, people.c.ended_at.is_(None))
        ).scalar()
    right = _hasher().verify(password[:_LONGEST], found or _nobodys())
    if found is None or not right:
        return None
    text = secrets.token_urlsafe(32)
    with writing(engine) as connection:
        connection.execute(delete(sessions).where(sessions.c.until < now()))
        # The password may have been changed while it was checked.
        same = select(people.c.name).where(people.c.name == who, people.c.password == found)
        if connection.execute(same.where(people.c.ended_at.is_(None))).first() is None:
            return None
        connection.execute(
            insert(sessions).values(
                sha256=digest(text),
                person=who,
                token=secrets.token_urlsafe(24),
                until=later(_SESSION),
            )
        )
        _note(connection, who, "logged-in", who)
    return text


def find_session(engine: Engine, text: str) -> Visitor | None:
    """Who is logged in under this text; None where nobody is."""
    query = (
        select(people.c.name, people.c.role, sessions.c.token)
        .join(people, people.c.name == sessions.c.person)
        .where(
            sessions.c.sha256 == digest(text.encode("utf-8", "surrogateescape")),
            sessions.c.until > now(),
            people.c.ended_at.is_(None),
        )
    )
    with reading(engine) as connection:
        row = connection.execute(query).first()
    return None if row is None else Visitor(name=row.name, role=row.role, token=row.token)


def end_session(engine: Engine, text: str) -> None:
    """Log out."""
    with writing(engine) as connection:
        connection.execute(delete(sessions).where(sessions.c.sha256 == digest(text)))


def _change(
    engine: Engine, name: str, actor: str, action: str, values: dict[str, Any], **detail: str
) -> None:
    who = person(name)
    with writing(engine) as connection:
        done = connection.execute(update(people).where(people.c.name == who).values(**values))
        if not done.rowcount:
            raise CaseError(
                f"There is no person {who!r}.",
                hint="`whyfake api people list` shows all.",
                code="no-such-person",
            )
        connection.execute(delete(sessions).where(sessions.c.person == who))
        _note(connection, actor, action, who, **detail)


def _note(connection: Connection, actor: str, action: str, who: str, **detail: str) -> None:
    log.append(
        connection,
        actor=person(actor),
        action=action,
        case_id=None,
        detail={"person": who, **detail},
    )


def _role(role: str) -> str:
    if role not in ROLES:
        raise CaseError(
            f"There is no role {role!r}.", hint=f"Use one of {', '.join(ROLES)}.", code="bad-value"
        )
    return role


def _hashed(password: str) -> str:
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise CaseError(
            f"A password has {_SHORTEST} to {_LONGEST:,} characters.",
            hint="Four words that do not belong together are a good one.",
            code="bad-value",
        )
    return _hasher().hash(password)
