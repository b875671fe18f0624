"""Stores in SQLite and, where its server is installed, in PostgreSQL; records without models."""

from __future__ import annotations

import copy
import os
import pwd
import shutil
import subprocess
import tempfile
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


def server_programs() -> Path | None:
    """The folder of Debian's PostgreSQL server, which is not on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of its own, on a socket in a private folder."""
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    home = Path(tempfile.mkdtemp(prefix="wfpg-"))
    user: dict[str, Any] = {}
    name = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:  # the server refuses to run as root
        owner = pwd.getpwnam("postgres")
        os.chown(home, owner.pw_uid, owner.pw_gid)
        user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        name = "postgres"

    def do(program: str, *words: str) -> None:
        done = subprocess.run(
            [programs / program, *words],
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
            **user,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]

    data = str(home / "data")
    do("initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {home} -c listen_addresses='' -c fsync=off"
    do("pg_ctl", "-D", data, "-w", "-t", "60", "-o", options, "-l", str(home / "log"), "start")
    try:
        yield f"postgresql://{name}@/postgres?host={home}"
    finally:
        do("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


def fresh_database(server: str) -> str:
    """The address of an empty database on the server."""
    import uuid

    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


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
