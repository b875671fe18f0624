"""What a scan reads: the files of a folder, or of a list."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from assistant.errors import MediaError

__all__ = ["files_of", "list_items"]


def list_items(target: Path) -> Iterator[str]:
    """The paths in a steady order, relative ones against the list's folder.

    Args:
        target: a folder, read with its subfolders (names that begin with a dot are left out); or a
            list: CSV with a column ``path``, or one path a line.

    Raises:
        MediaError: there is no such folder or list, or it names nothing.
    """
    if target.is_dir():
        found = files_of(target)
    elif target.is_file():
        found = _listed(target)
    else:
        raise MediaError(
            f"There is no folder or list {target}.",
            hint="Give a folder, a CSV with a column path, or a text file with one path a line.",
            code="missing-path",
        )
    empty = True
    for path in found:
        empty = False
        yield str(path)
    if empty:
        raise MediaError(f"{target} names no file.", hint="Check the path.", code="empty-scan")


def files_of(folder: Path) -> Iterator[Path]:
    """All files of a folder and its subfolders, in a steady order; dot names are left out."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():  # links could lead in circles
            yield from files_of(path)
        elif path.is_file():
            yield path


def _listed(source: Path) -> Iterator[Path]:
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            if source.suffix.lower() == ".csv":
                reader = csv.DictReader(file)
                if "path" not in (reader.fieldnames or ()):
                    raise MediaError(
                        f"{source} has no column path.",
                        hint=f"Its columns are {', '.join(reader.fieldnames or ()) or 'none'}.",
                        code="bad-manifest",
                    )
                lines = [row["path"] or "" for row in reader]
            else:
                lines = file.read().splitlines()
    except UnicodeDecodeError as error:
        raise MediaError(
            f"{source} is no text in UTF-8.", hint="Give a list of paths.", code="bad-manifest"
        ) from error
    for line in dict.fromkeys(line.strip() for line in lines):
        if line:
            yield source.parent / line
