"""The tables of the case store.

Times are UTC as ISO text of fixed width, so that text order is time order in every database. JSON
is kept as canonical text, so that its SHA-256 can be checked.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "api_keys",
    "bodies",
    "cases",
    "decisions",
    "deliveries",
    "idempotency",
    "jobs",
    "log",
    "metadata",
    "notes",
    "people",
    "pictures",
    "sessions",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_CASE = "cases.id"

#: What lists and filters read. ``state``, ``step`` and ``picture_until`` change; nothing else may.
cases = Table(
    "cases",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created_at", String(27), nullable=False),
    Column("source", String(100), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("perceptual", String(80), nullable=False),
    Column("perceptual_quality", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("verdict", String(40)),
    Column("probability", Float),
    Column("faces", Integer, nullable=False),
    Column("truth", String(12)),
    Column("state", String(10), nullable=False),
    Column("step", Integer, nullable=False),
    Column("picture_until", String(27)),
    Index("ix_cases_recent", "created_at", "id"),
    Index("ix_cases_state", "state", "created_at", "id"),
    Index("ix_cases_source", "source", "created_at", "id"),
    Index("ix_cases_content", "content_sha256"),
    Index("ix_cases_verdict", "verdict", "created_at", "id"),
)

#: The record of a case (``assistant/schema/case-1.json``) as canonical JSON.
bodies = Table(
    "bodies",
    metadata,
    Column("case_id", String(32), ForeignKey(_CASE), primary_key=True),
    Column("record", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", String(32), ForeignKey(_CASE), nullable=False),
    Column("step", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", String(27), nullable=False),
    Column("log_seq", Integer, nullable=False, unique=True),
    Index("ix_decisions_case", "case_id", "step"),
)

#: Notes, questions with their answers, appeals and callbacks of consoles.
notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", String(32), ForeignKey(_CASE), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("body", Text, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", String(27), nullable=False),
    Column("log_seq", Integer, nullable=False, unique=True),
    Index("ix_notes_case", "case_id", "id"),
)

#: Encrypted: the file itself and its picture card. Rows are removed when ``until`` has passed.
pictures = Table(
    "pictures",
    metadata,
    Column("case_id", String(32), ForeignKey(_CASE), primary_key=True),
    Column("name", String(10), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("until", String(27), nullable=False, index=True),
)

#: Append-only; ``hash`` covers the other columns and ``previous``, the hash of the entry before.
log = Table(
    "log",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("action", String(40), nullable=False),
    Column("case_id", String(32)),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
    Index("ix_log_case", "case_id", "seq"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("owner", String(100), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("revoked_at", String(27)),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created_at", String(27), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("state", String(8), nullable=False),
    Column("request", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("attempts", Integer, nullable=False),
    Column("lease_owner", String(64)),
    Column("lease_until", String(27)),
    Column("case_id", String(32), ForeignKey(_CASE)),
    Column("error", Text),
    Index("ix_jobs_state", "state", "lease_until", "created_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("status", Integer),
    Column("body", Text),
)

#: Outgoing webhooks, tried again until they arrive or are given up (``dead``).
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("event_id", String(64), nullable=False),
    Column("url", String(500), nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", String(27)),
    Column("delivered", Boolean, nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("error", String(300), nullable=False),
    UniqueConstraint("event_id", "url"),
    Index("ix_deliveries_due", "delivered", "dead", "next_at"),
)

#: Who may log in to the case page. ``password`` is an Argon2 hash.
people = Table(
    "people",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("role", String(10), nullable=False),
    Column("password", String(200), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("ended_at", String(27)),
)

#: Who is logged in; removed when a role, a password or a person's access changes.
sessions = Table(
    "sessions",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("person", String(100), ForeignKey("people.name"), nullable=False),
    Column("token", String(64), nullable=False),
    Column("until", String(27), nullable=False),
    Index("ix_sessions_person", "person"),
)
