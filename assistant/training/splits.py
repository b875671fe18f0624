"""Splits by source video: the same video always falls into the same part, on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.evaluation.face_manifest import ManifestRow, drawn_by_hash, hashed

__all__ = ["hashed_sample", "list_sha256", "part_of", "parts_of"]


def part_of(video: str, percent: Mapping[str, int]) -> str:
    """The part that a video belongs to, by the hash of its name; what is left is ``train``."""
    value = hashed(video) % 100
    for name, share in percent.items():
        if value < share:
            return name
        value -= share
    return "train"


def parts_of(rows: Sequence[ManifestRow], percent: Mapping[str, int]) -> NDArray[np.str_]:
    """Where each row belongs."""
    return np.array([part_of(row.video, percent) for row in rows])


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
