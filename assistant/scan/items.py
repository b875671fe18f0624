"""What a scan reads: the files of a folder, of a list, or of a store that fsspec knows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.cases.extras import need
from assistant.errors import MediaError
from assistant.media import read_path
from assistant.media.files import files_below, read_stream

if TYPE_CHECKING:
    from assistant.media import MediaLimits

__all__ = ["list_items", "read_item"]


def list_items(target: str) -> Iterator[str]:
    """The paths or addresses of all files, one after another.

    Args:
        target: a folder, read with its subfolders (names that begin with a dot are left out); a
            list: CSV with a column ``path``, or one path a line, relative ones against the list's
            folder; or an address such as ``s3://bucket/folder``, read through fsspec.

    Raises:
        MediaError: there is no such folder, list or address, or it names nothing.
    """
    place = Path(target)
    if "://" in target:
        found = _remote(target)
    elif place.is_dir():
        found = map(str, files_below(place))
    elif place.is_file():
        found = _listed(place)
    else:
        raise MediaError(
            f"There is no folder or list {target}.",
            hint="Give a folder, a CSV with a column path, a text file with one path a line, or "
            "an address such as s3://bucket/folder.",
            code="missing-path",
        )
    empty = True
    for path in found:
        empty = False
        yield path
    if empty:
        raise MediaError(f"{target} names no file.", hint="Check the path.", code="empty-scan")


def read_item(path: str, limits: MediaLimits) -> bytes:
    """The bytes of a file that :func:`list_items` named, never more than the size limits.

    Raises:
        MediaError: it cannot be read, or is too large.
    """
    if "://" not in path:
        return read_path(Path(path), limits)
    store, place = _store(path)
    try:
        with store.open(place, "rb") as file:
            return read_stream(file, repr(path), limits)
    except MediaError:
        raise
    except Exception as error:
        raise MediaError(
            f"{path!r} cannot be read ({type(error).__name__}).",
            hint="Check the address and the rights on it.",
            code="unreadable-path",
        ) from error


def _listed(source: Path) -> Iterator[str]:
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            lines: Iterator[str] = iter(file)
            if source.suffix.lower() == ".csv":
                reader = csv.DictReader(file)
                if "path" not in (reader.fieldnames or ()):
                    raise MediaError(
                        f"{source} has no column path.",
                        hint=f"Its columns are {', '.join(reader.fieldnames or ()) or 'none'}.",
                        code="bad-manifest",
                    )
                lines = (row["path"] or "" for row in reader)
            for line in map(str.strip, lines):
                if line:
                    yield line if "://" in line else str(source.parent / line)
    except UnicodeDecodeError as error:
        raise MediaError(
            f"{source} is no text in UTF-8.", hint="Give a list of paths.", code="bad-manifest"
        ) from error


def _remote(address: str) -> Iterator[str]:
    store, place = _store(address)
    try:
        for folder, _, names in store.walk(place):
            yield from (str(store.unstrip_protocol(f"{folder}/{name}")) for name in names)
    except Exception as error:
        raise MediaError(
            f"{address} cannot be listed ({type(error).__name__}).",
            hint="Check the address and the rights on it.",
            code="missing-path",
        ) from error


def _store(address: str) -> tuple[Any, str]:
    need("cases", "fsspec")
    import fsspec

    try:
        store, place = fsspec.core.url_to_fs(address)
    except (ValueError, ImportError, OSError) as error:
        raise MediaError(
            f"{address} cannot be opened: {error}",
            hint="Install what fsspec needs for this kind of address.",
            code="missing-path",
        ) from error
    return store, str(place)
