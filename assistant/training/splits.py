"""Splits by source video: the same video always falls into the same part, on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assistant.evaluation.face_manifest import ManifestRow, drawn_by_hash, hashed

__all__ = ["Part", "hashed_sample", "list_sha256", "part_of", "parts_of"]

Part = Literal["test", "calibration", "train"]


def part_of(video: str, *, test_percent: int, calibration_percent: int) -> Part:
    """Where a video belongs, by the hash of its name."""
    value = hashed(video) % 100
    if value < test_percent:
        return "test"
    return "calibration" if value < test_percent + calibration_percent else "train"


def parts_of(
    rows: Sequence[ManifestRow], *, test_percent: int, calibration_percent: int
) -> NDArray[np.str_]:
    """Where each row belongs."""
    percent = {"test_percent": test_percent, "calibration_percent": calibration_percent}
    return np.array([part_of(row.video, **percent) for row in rows])


def list_sha256(rows: Sequence[ManifestRow]) -> str:
    """SHA-256 of the data list (names, labels, sources, videos): what a card names it by."""
    lines = sorted(f"{r.name},{r.label},{r.source},{r.video}" for r in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def hashed_sample(rows: Sequence[ManifestRow], most: int) -> list[ManifestRow]:
    """At most so many rows of each source: those whose names have the lowest hash."""
    by_source: dict[str, list[ManifestRow]] = {}
    for row in drawn_by_hash(rows, len(rows)):
        by_source.setdefault(row.source, []).append(row)
    return [row for source in sorted(by_source) for row in by_source[source][:most]]
