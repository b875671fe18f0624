"""A PostgreSQL server of its own, from Debian's packages, on a socket in a private folder."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def server_programs() -> Path | None:
    """The folder of Debian's PostgreSQL server, which is not on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of a server that is stopped and removed at the end."""
    programs = server_programs()
    if programs is None:
        raise FileNotFoundError("PostgreSQL's server (Debian: apt-get install postgresql)")
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


def fresh_database(address: str) -> str:
    """The address of an empty database on the server."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return address.replace("/postgres?", f"/{name}?")
