"""The manifest of faces: one CSV for training, calibration and evaluation.

Columns: ``path`` (relative to the manifest) and ``label`` (0 or ``real``, 1 or ``fake``) are
needed; ``source``, ``video``, ``family``, ``split`` and ``crop`` (1: the picture is a face crop
already, to be scored whole where no face is found in it) may be left out.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import TrainingError

__all__ = [
    "ManifestRow",
    "drawn_by_hash",
    "hashed",
    "read_manifest",
    "require_both_classes",
    "write_manifest",
]

_COLUMNS = ("path", "label", "source", "video", "family", "split", "crop")
_LABELS = {"0": 0, "real": 0, "1": 1, "fake": 1, "manipulated": 1}
_YES_NO = {"": False, "0": False, "1": True, "false": False, "true": True}
_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRow:
    """One picture or video. ``line`` is its line in the manifest; ``name`` its path as written."""

    line: int
    name: str
    path: Path
    label: int
    source: str = "all"
    video: str = ""
    family: str = ""
    split: str = ""
    crop: bool = False
    kind: str = ""


def read_manifest(path: Path) -> list[ManifestRow]:
    """Read a manifest and check all of it before anything is done.

    Raises:
        TrainingError: the file cannot be read, a column is missing, or rows are wrong; every wrong
            line is named, all at once.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            columns = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = columns
            found = [(reader.line_num, row) for row in reader]
    except FileNotFoundError as error:
        raise TrainingError(
            f"There is no manifest at {path}.", hint="Give the path of a CSV file.", code="manifest"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(
            f"The manifest {path} cannot be read: {error}.",
            hint="Save it as CSV in UTF-8.",
            code="manifest",
        ) from error
    missing = [name for name in ("path", "label") if name not in columns]
    if missing:
        raise TrainingError(
            f"The manifest {path} lacks the column {', '.join(missing)}; it has "
            f"{', '.join(columns) or 'none'}.",
            hint=f"The first line names the columns: {','.join(_COLUMNS)}.",
            code="manifest",
        )
    return _checked(path, found)


def write_manifest(path: Path, rows: Iterable[tuple[str | int, ...]]) -> int:
    """Write rows of path, label, source, video, family, split and crop; tells how many."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def hashed(text: str) -> int:
    """A number of a name that is the same on every machine, for splits and draws."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def drawn_by_hash(rows: Iterable[ManifestRow], most: int) -> list[ManifestRow]:
    """At most so many rows: those whose names have the lowest hash."""
    return sorted(rows, key=lambda row: hashed(row.name))[:most]


def require_both_classes(rows: Sequence[ManifestRow]) -> None:
    """Raise a TrainingError (code ``one-class``) unless real and manipulated faces are listed."""
    if len({row.label for row in rows}) < 2:
        only = "manipulated" if rows and rows[0].label else "real"
        raise TrainingError(
            f"The manifest lists {only} faces only; training needs both classes.",
            hint="Add rows with the other label (0: real, 1: manipulated).",
            code="one-class",
        )


def _checked(path: Path, found: list[tuple[int, dict[str, str]]]) -> list[ManifestRow]:
    rows: list[ManifestRow] = []
    problems: list[str] = []
    seen: dict[Path, int] = {}
    for line, raw in found:
        row = {
            key: value.strip()
            for key, value in raw.items()
            if isinstance(key, str) and isinstance(value, str)
        }
        wrong = _problems(row, path.parent)
        target = path.parent / row.get("path", "")
        if not wrong and target in seen:
            wrong = [f"{row['path']} is already on line {seen[target]}"]
        problems += [f"line {line}: {text}" for text in wrong]
        if wrong:
            continue
        seen[target] = line
        rows.append(
            ManifestRow(
                line=line,
                name=row["path"],
                path=target,
                label=_LABELS[row["label"].lower()],
                source=row.get("source") or "all",
                video=row.get("video") or row["path"],
                family=row.get("family", ""),
                split=row.get("split", ""),
                crop=_YES_NO[row.get("crop", "").lower()],
                kind=row.get("kind", ""),
            )
        )
    if problems:
        more = f"\n... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise TrainingError(
            f"The manifest {path} has {len(problems)} wrong lines:\n"
            + "\n".join(problems[:_SHOWN])
            + more,
            hint="\nCorrect these lines; nothing was scored yet.",
            code="manifest",
        )
    if not rows:
        raise TrainingError(
            f"The manifest {path} lists no picture.",
            hint="Add a line a picture under the column names.",
            code="manifest",
        )
    return rows


def _problems(row: dict[str, str], folder: Path) -> list[str]:
    wrong = []
    if not row.get("path"):
        return ["the path is empty"]
    if row.get("label", "").lower() not in _LABELS:
        wrong.append(f"label {row.get('label', '')!r} is none of 0, 1, real, fake")
    if row.get("crop", "").lower() not in _YES_NO:
        wrong.append(f"crop {row['crop']!r} is neither 0 nor 1")
    if not (folder / row["path"]).is_file():
        wrong.append(f"{row['path']} does not exist")
    return wrong
