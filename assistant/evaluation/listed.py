"""Pictures of a folder, and lists: a CSV file with a ``path`` column, or one path a line."""

from __future__ import annotations

import csv
from pathlib import Path

from assistant.errors import TrainingError

__all__ = ["PICTURES", "listed_pictures", "pictures_below"]

#: Endings of pictures, in lower case.
PICTURES = {
    ".avif", ".bmp", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp",
}  # fmt: skip


def pictures_below(folder: Path) -> list[Path]:
    """The pictures in a folder and its sub-folders, by their endings, sorted."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())


def listed_pictures(manifest: Path) -> list[dict[str, str]]:
    """The rows of a list, each with its ``path`` as written; paths are relative to the list.

    Raises:
        TrainingError: it cannot be read (code ``manifest``).
    """
    try:
        lines = [line for line in manifest.read_text("utf-8").splitlines() if line.strip()]
        if lines and "path" in lines[0].split(","):
            return [row for row in csv.DictReader(lines) if row["path"]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(
            f"The manifest {manifest} cannot be read: {error}.",
            hint="Give a text file with one picture path a line, or a CSV with a `path` column.",
            code="manifest",
        ) from error
    return [{"path": line.strip()} for line in lines if not line.startswith("#")]
