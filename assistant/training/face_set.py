"""The aligned faces of a manifest, and their parts by video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.interfaces import FaceFinder
from assistant.training.face_cache import FOUND, UNREADABLE, CropCache
from assistant.training.splits import part_of
from assistant.types import CropSpec, Image

__all__ = ["FaceSet", "faces_of", "split", "split_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSet:
    """Aligned faces: N crops (RGB uint8), N x 5 x 2 landmarks, labels, sources and videos.

    ``known`` is false where no face was found and the picture was taken whole.
    """

    crops: Sequence[Image]
    landmarks: NDArray[np.float64]
    known: NDArray[np.bool_]
    rows: Sequence[ManifestRow]

    @property
    def labels(self) -> NDArray[np.int64]:
        """N, 1 = manipulated."""
        return np.array([row.label for row in self.rows], np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, places: Sequence[int]) -> FaceSet:
        """Some of the faces."""
        return FaceSet(
            crops=[self.crops[i] for i in places],
            landmarks=self.landmarks[list(places)],
            known=self.known[list(places)],
            rows=[self.rows[i] for i in places],
        )


def faces_of(
    rows: Sequence[ManifestRow],
    finder: FaceFinder,
    spec: CropSpec,
    *,
    work: Path,
) -> FaceSet:
    """Find the faces of manifest rows, kept in ``work`` between runs.

    Raises:
        TrainingError: no picture shows a face.
    """
    cache = CropCache(work, rows, spec)
    cache.fill(finder, limit=len(rows))
    state = cache.points[:, 0]
    kept = [
        i
        for i, row in enumerate(cache.rows)
        if state[i] == FOUND or (state[i] > UNREADABLE and row.crop)
    ]
    if not kept:
        raise TrainingError(
            f"No face was found in any of {len(rows)} pictures.",
            hint="For pictures that are face crops already, add a column crop with 1.",
            code="no-faces",
        )
    return FaceSet(
        crops=[np.array(cache.crops[i]) for i in kept],
        landmarks=np.stack([cache.landmarks(i) for i in kept]),
        known=state[kept] == FOUND,
        rows=[cache.rows[i] for i in kept],
    )


def split_rows(
    rows: Sequence[ManifestRow], percent: Mapping[str, int]
) -> dict[str, list[ManifestRow]]:
    """Parts of a manifest by the hash of the video's name; what is left is ``train``."""
    sides: dict[str, list[ManifestRow]] = {name: [] for name in (*percent, "train")}
    for row in rows:
        sides[part_of(row.video, percent)].append(row)
    return sides


def split(faces: FaceSet, percent: Mapping[str, int]) -> dict[str, FaceSet]:
    """As :func:`split_rows`, of faces."""
    place = {row.line: index for index, row in enumerate(faces.rows)}
    parts = split_rows(faces.rows, percent)
    return {name: faces.part([place[row.line] for row in rows]) for name, rows in parts.items()}
