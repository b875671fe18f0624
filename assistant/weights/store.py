"""Where model files lie, and whether they are what the manifest says."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from assistant.errors import WeightsError
from assistant.resources import resource_dir
from assistant.weights.manifest import UNVERIFIED, DerivedSource, Entry, RepoSource, manifest

__all__ = [
    "State",
    "data_dir_or_default",
    "file_sha256",
    "inspect_entry",
    "locate",
    "path_of",
    "read_build_note",
    "source_hashes",
    "write_atomically",
    "write_build_note",
]

_SEEN_FILE = "verified.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What lies on disk for an entry.

    ``status`` is ``ok``, ``missing``, ``changed`` (other bytes), ``stale`` (derived from other
    sources than now listed) or ``unpinned`` (there, but its hash was never published).
    """

    entry: Entry
    path: Path
    status: str
    sha256: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can be loaded without further word."""
        return self.status == "ok"


def data_dir_or_default(data_dir: Path | None = None) -> Path:
    """``data_dir``, else ``ASSISTANT_DATA_DIR``, else the user's data folder for whyfake."""
    if data_dir is not None:
        return data_dir
    if setting := os.environ.get("ASSISTANT_DATA_DIR"):
        return Path(setting).expanduser()
    return Path(platformdirs.user_data_dir("whyfake", appauthor=False))


def path_of(entry: Entry, data_dir: Path) -> Path:
    """Where an entry's file lies or would lie."""
    if isinstance(entry.source, RepoSource):
        return resource_dir("weights") / entry.source.path
    return data_dir / "weights" / entry.name / entry.file


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Replace ``path`` in one step, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _known_sha256(path: Path, data_dir: Path) -> str:
    """SHA-256 of ``path``; taken from the notes when size and time of change are as they were.

    Hashing 200 MB takes most of a second; at every start that is too long. Whoever can forge the
    time stamp in the user's own data folder could forge the notes and the code as well.
    """
    stat = path.stat()
    key, mark = str(path.resolve()), [stat.st_size, stat.st_mtime_ns]
    notes_path = data_dir / "weights" / _SEEN_FILE
    notes = _read_json(notes_path)
    known = notes.get(key)
    if isinstance(known, dict) and known.get("mark") == mark:
        return str(known.get("sha256"))
    sha256 = file_sha256(path)
    notes[key] = {"mark": mark, "sha256": sha256}
    try:
        write_atomically(notes_path, json.dumps(notes, indent=1).encode())
    except OSError:
        # A read-only data folder (container, Space) costs the shortcut, not the check.
        return sha256
    return sha256


def read_build_note(path: Path) -> dict[str, Any]:
    """What was noted when a derived or unpinned file was made; empty where there is no note."""
    return _read_json(path.with_name(f"{path.name}.json"))


def write_build_note(path: Path, note: dict[str, Any]) -> None:
    """Keep a note beside a derived or unpinned file."""
    write_atomically(path.with_name(f"{path.name}.json"), json.dumps(note, indent=1).encode())


def source_hashes(entry: Entry, data_dir: Path) -> dict[str, str]:
    """Which source hashes a derived file must have been made from."""
    assert isinstance(entry.source, DerivedSource)  # noqa: S101 - callers have checked
    out = {}
    for name in entry.source.sources:
        source = manifest()[name]
        if source.sha256 is None or source.sha256 == UNVERIFIED:
            out[name] = str(read_build_note(path_of(source, data_dir)).get("sha256", ""))
        else:
            out[name] = source.sha256
    return out


def _rests_on_unverified(entry: Entry) -> bool:
    if isinstance(entry.source, DerivedSource):
        return any(_rests_on_unverified(manifest()[name]) for name in entry.source.sources)
    return entry.sha256 == UNVERIFIED


def inspect_entry(entry: Entry, data_dir: Path | None = None, *, fresh: bool = False) -> State:
    """Look at an entry's file; ``fresh`` hashes it again even where it was verified before."""
    root = data_dir_or_default(data_dir)
    path = path_of(entry, root)
    if not path.is_file():
        return State(entry=entry, path=path, status="missing")
    if entry.size is not None and entry.sha256 and path.stat().st_size != entry.size:
        return State(entry=entry, path=path, status="changed")
    sha256 = file_sha256(path) if fresh else _known_sha256(path, root)
    if isinstance(entry.source, DerivedSource):
        note = read_build_note(path)
        if note.get("sha256") != sha256:
            status = "changed"
        elif note.get("from") != source_hashes(entry, root) or note.get("by") != entry.source.by:
            status = "stale"
        else:
            status = "unpinned" if _rests_on_unverified(entry) else "ok"
    elif entry.sha256 == UNVERIFIED:
        first = read_build_note(path).get("sha256")
        status = "unpinned" if first == sha256 else "changed"
    else:
        status = "ok" if sha256 == entry.sha256 else "changed"
    return State(entry=entry, path=path, status=status, sha256=sha256)


def locate(name: str, *, data_dir: Path | None = None, accept_unpinned: bool = False) -> Path:
    """The verified path of a model file.

    Args:
        name: as in the manifest.
        data_dir: where fetched files lie; default ``ASSISTANT_DATA_DIR``, else the user's own.
        accept_unpinned: also give files whose hash was never published.

    Returns:
        The path of a file whose SHA-256 is the manifest's (derived files: the one noted when made).

    Raises:
        WeightsError: unknown, missing, changed, stale or unpinned; the hint is the command to run.
    """
    entry = manifest()[name]
    state = inspect_entry(entry, data_dir)
    if state.ready or (state.status == "unpinned" and accept_unpinned):
        return state.path
    raise _refusal(state)


def _refusal(state: State) -> WeightsError:
    entry = state.entry
    fetch = f"whyfake weights fetch {entry.name}"
    if isinstance(entry.source, RepoSource):
        remedy = "Install whyfake again, or restore the file with git."
    elif state.status == "unpinned":
        remedy = (
            "Check it against the publisher's page, then allow it with --accept-unpinned "
            "(ASSISTANT_ACCEPT_UNPINNED=true)."
        )
    else:
        remedy = f"Run `{fetch}`."
    text = {
        "missing": f"The model file {entry.name} is not there ({state.path}).",
        "changed": f"The model file {state.path} does not hold the bytes it should "
        f"(SHA-256 {state.sha256[:12] or 'not taken: other size'}, expected "
        f"{(entry.sha256 or 'the one noted when it was made')[:30]}). It was not loaded.",
        "stale": f"The model file {entry.name} was made from other files than are listed now.",
        "unpinned": f"{entry.name} has no published SHA-256 to be checked against. "
        "It was not loaded.",
    }[state.status]
    return WeightsError(text, hint=remedy, code=f"weights-{state.status}")
