"""What a scan has done so far, in a SQLite file beside its results.

Files are entered by path, outcomes by the SHA-256 of the content: the same content is analysed
once. One transaction enters both, so that a kill loses only what was not finished and a second
start does nothing twice.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError, ConfigError

__all__ = ["OUTCOME", "Ledger"]

#: Columns of an outcome; ``None`` where there is no score.
OUTCOME = ("status", "kind", "faces", "probability", "low", "high", "verdict", "detail")
_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outcomes (
    sha256 TEXT PRIMARY KEY, status TEXT NOT NULL, kind TEXT, faces INTEGER NOT NULL,
    probability REAL, low REAL, high REAL, verdict TEXT, detail TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS items (
    path TEXT PRIMARY KEY, sha256 TEXT NOT NULL REFERENCES outcomes (sha256), bytes INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS items_content ON items (sha256, path);
CREATE TABLE IF NOT EXISTS errors (
    path TEXT PRIMARY KEY, code TEXT NOT NULL, message TEXT NOT NULL, hint TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS listed (path TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_KNOWN = (
    "(EXISTS (SELECT 1 FROM items i WHERE i.path = l.path)"
    " OR EXISTS (SELECT 1 FROM errors e WHERE e.path = l.path))"
)


class Ledger:
    """The state of one scan. Safe to share between threads.

    Args:
        path: the file; made where there is none.
        about: weights and settings; a scan is not continued with others.

    Raises:
        ConfigError: the file is of a scan with other weights or settings, or no such file.
    """

    def __init__(self, path: Path, about: Mapping[str, str]) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._lock = threading.RLock()
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_TABLES)
            before = dict(self._db.execute("SELECT name, value FROM about"))
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise ConfigError(
                f"{path} is no state of a scan.", hint="Move it away, or name another --out."
            ) from error
        if before and before != dict(about):
            other = sorted(k for k in {*before, *about} if before.get(k) != about.get(k))
            self._db.close()
            raise ConfigError(
                f"The scan in {path} was begun with another {', '.join(other)}.",
                hint="Name another --out, or remove that file to begin anew.",
                code="other-scan",
            )
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO about VALUES (?, ?)", sorted(about.items())
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def expect(self, paths: Iterable[str]) -> None:
        """Take down what there is to do, in place of what was listed before."""
        with self._lock, self._db:
            self._db.execute("DELETE FROM listed")
            self._db.executemany(
                "INSERT OR IGNORE INTO listed VALUES (?)", ((path,) for path in paths)
            )

    def counts(self) -> tuple[int, int]:
        """How many of the listed files are done, and how many are listed."""
        with self._lock:
            query = f"SELECT coalesce(sum({_KNOWN}), 0), count(*) FROM listed l"  # noqa: S608
            done, total = self._db.execute(query).fetchone()
        return int(done), int(total)

    def left(self) -> Iterator[str]:
        """The listed files that are not done, by path; memory stays flat."""
        query = (
            f"SELECT path FROM listed l WHERE path > ? AND NOT {_KNOWN} "  # noqa: S608
            "ORDER BY path LIMIT ?"
        )
        last = ""
        while True:
            with self._lock:
                found = [row[0] for row in self._db.execute(query, (last, 1000))]
            if not found:
                return
            yield from found
            last = found[-1]

    def has_outcome(self, sha256: str) -> bool:
        """Whether this content was analysed."""
        with self._lock:
            found = self._db.execute("SELECT 1 FROM outcomes WHERE sha256 = ?", (sha256,))
            return found.fetchone() is not None

    def enter(
        self, rows: Sequence[tuple[str, str, int, Mapping[str, Any] | AssistantError | None]]
    ) -> int:
        """Enter files in one transaction; returns how many contents were new.

        Args:
            rows: path, SHA-256, bytes, and the outcome; an error where the file was refused; None
                where the outcome of the same content is there already.
        """
        fresh = 0
        with self._lock, self._db:
            for path, sha256, size, outcome in rows:
                if isinstance(outcome, AssistantError):
                    told = (path, outcome.code, outcome.user_message, outcome.hint)
                    self._db.execute("INSERT INTO errors VALUES (?, ?, ?, ?)", told)
                    continue
                if outcome is not None:
                    values = [outcome[n] for n in OUTCOME[:-1]] + [json.dumps(outcome["detail"])]
                    done = self._db.execute(
                        "INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (sha256, *values),
                    )
                    fresh += done.rowcount
                self._db.execute("INSERT INTO items VALUES (?, ?, ?)", (path, sha256, size))
        return fresh

    def rows(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        """All files with their outcomes by path, in pages; memory stays flat."""
        yield from self._pages(
            "SELECT i.path, i.sha256, i.bytes, o.status, o.kind, o.faces, o.probability, o.low, "
            "o.high, o.verdict, o.detail, "
            "(SELECT min(f.path) FROM items f WHERE f.sha256 = i.sha256) AS first "
            "FROM items i JOIN outcomes o USING (sha256) ORDER BY i.path"
        )

    def errors(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        """All refused files by path, in pages."""
        yield from self._pages("SELECT * FROM errors ORDER BY path")

    def ask(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a query of the summary."""
        cursor = self._db.execute(query, values)
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _pages(self, query: str) -> Iterator[Sequence[Mapping[str, Any]]]:
        cursor = self._db.execute(query)
        names = [c[0] for c in cursor.description]
        while rows := cursor.fetchmany(5000):
            yield [dict(zip(names, row, strict=True)) for row in rows]
