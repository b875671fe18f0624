"""Stores in SQLite and, where its server is installed, in PostgreSQL; records without models."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.cases.database import open_database
from assistant.cases.record import record
from assistant.cases.store import CaseStore
from assistant.cases.vault import Vault, new_key
from assistant.fakes import demo_assistant
from assistant.settings import Settings
from tests.drawn import drawn_faces, png
from tests.postgres import fresh_database, server, server_programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server for this run."""
    if server_programs() is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    with server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, one of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cases.db'}"
    return fresh_database(request.getfixturevalue("postgres"))


@pytest.fixture
def store(url: str) -> Iterator[CaseStore]:
    opened = CaseStore(open_database(url), Vault(new_key()))
    yield opened
    opened.close()


@pytest.fixture
def light(tmp_path: Path) -> Iterator[CaseStore]:
    """A store in SQLite alone."""
    opened = CaseStore(open_database(f"sqlite:///{tmp_path / 'light.db'}"), Vault(new_key()))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def analysed() -> dict[str, Any]:
    """The record of a drawn face, made by fakes."""
    return record(demo_assistant(), Settings(), png(drawn_faces())).record


@pytest.fixture
def made(analysed: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(analysed)
