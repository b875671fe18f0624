"""Crops and block statistics on disk, made once and resumed where they stopped.

Rows are worked on in a fixed random order, so that an unfinished cache is a fair sample. A picture
that cannot be read or shows no face is marked and never stops the work. The folder's name is the
hash of all that the content depends on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError, TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import read_row
from assistant.faces.crops import make_face
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits
from assistant.training.splits import list_sha256
from assistant.types import CropSpec, Image

__all__ = [
    "EVERY",
    "CropCache",
    "StatisticsCache",
    "rows_done",
    "save_rows_done",
    "work_order",
]

#: Rows between two savings.
EVERY = 256
UNREADABLE, WHOLE, FOUND = -1, 0, 1

Progress = Callable[[str, int, int, float], None]


def work_order(count: int) -> NDArray[np.int64]:
    """The fixed random order in which rows are worked on."""
    return np.random.default_rng(0).permutation(count)


def rows_done(folder: Path, name: str) -> int:
    """How many rows of a cache were made before."""
    path = folder / f"{name}.done"
    return int(path.read_text()) if path.exists() else 0


def save_rows_done(folder: Path, name: str, done: int) -> None:
    """Keep how many rows of a cache are made; a kill leaves the old number or the new one."""
    draft = folder / f".{name}.done"
    draft.write_text(str(done))
    draft.replace(folder / f"{name}.done")


class CropCache:
    """Aligned crops of a manifest: ``crops.npy`` (N x S x S x 3) and ``points.npy`` (N x 12).

    ``points`` holds state (-1 unreadable, 0 no face: scored whole, 1 found), confidence, and the
    five points in pixels of the crop.
    """

    def __init__(self, root: Path, rows: Sequence[ManifestRow], spec: CropSpec) -> None:
        order = work_order(len(rows))
        self.rows = [rows[i] for i in order]
        self.spec = spec
        key = hashlib.sha256(
            json.dumps([list_sha256(rows), spec.size, spec.scale, spec.shift_y]).encode()
        ).hexdigest()[:16]
        self.folder = root / f"crops-{key}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.done = rows_done(self.folder, "crops")
        size = spec.size
        self.crops = self._open("crops.npy", (len(rows), size, size, 3), np.uint8)
        self.points = self._open("points.npy", (len(rows), 12), np.float32)

    def fill(self, finder: FaceFinder, *, limit: int, progress: Progress) -> None:
        """Find and align faces up to row ``limit``.

        Raises:
            TrainingError: what is there was made with another face finder.
        """
        self._same_finder(finder)
        start, began = self.done, time.monotonic()
        for index in range(start, min(limit, len(self.rows))):
            self.crops[index], self.points[index] = self._one(self.rows[index], finder)
            self.done = index + 1
            if self.done % EVERY == 0 or self.done == min(limit, len(self.rows)):
                self.crops.flush()
                self.points.flush()
                save_rows_done(self.folder, "crops", self.done)
                rate = (self.done - start) / (time.monotonic() - began)
                progress("crops", self.done, min(limit, len(self.rows)), rate)

    def _same_finder(self, finder: FaceFinder) -> None:
        """Crops of two face finders are two kinds of crops: never mix them in one folder."""
        path = self.folder / "finder.json"
        now = {"finder": finder.name, **finder.provenance()}
        if not path.exists():
            path.write_text(json.dumps(now, indent=2, sort_keys=True))
        elif (made := json.loads(path.read_text())) != now:
            raise TrainingError(
                f"The crops in {self.folder.name} were made with the face finder "
                f"{made.get('finder')!r}, not with {finder.name!r} as it is now.",
                hint="Choose another --work folder, or delete this one.",
                code="other-finder",
            )

    def landmarks(self, index: int) -> NDArray[np.float64]:
        """The five points of a row, 5 x 2 in pixels of its crop."""
        return np.asarray(self.points[index, 2:].reshape(5, 2), np.float64)

    def blendable(self, parts: NDArray[np.str_], source: str) -> list[int]:
        """Real faces of the training part of a source in which a face was found."""
        return [
            i
            for i, part in enumerate(parts)
            if part == "train"
            and self.rows[i].source == source
            and self.rows[i].label == 0
            and self.points[i, 0] == FOUND
        ]

    def pick_for_blending(
        self, parts: NDArray[np.str_], shares: Mapping[str, float], rng: np.random.Generator
    ) -> list[int]:
        """Rows to blend: every real training face of a source as often as its share says.

        A share of 2.25 takes each twice, and a random quarter once more.
        """
        picked: list[int] = []
        for source, share in sorted(shares.items()):
            reals = self.blendable(parts, source)
            whole, rest = divmod(share, 1.0)
            extra = rng.permutation(reals)[: round(rest * len(reals))].tolist() if reals else []
            picked += reals * int(whole) + [int(i) for i in extra]
        return picked

    def _one(self, row: ManifestRow, finder: FaceFinder) -> tuple[Image, NDArray[np.float32]]:
        values = np.zeros(12, np.float32)
        size = self.spec.size
        media = read_row(row, MediaLimits(frames=1))
        if media is None:
            values[0] = UNREADABLE
            return np.zeros((size, size, 3), np.uint8), values
        frame = media.frames[0]
        found = finder.find(frame)
        if found:
            try:
                face = make_face(
                    frame, found[0], self.spec, media_id=media.id, index=0, frame_index=0
                )
            except InferenceError:
                found = ()
            else:
                values[:2] = FOUND, face.confidence
                values[2:] = face.crop_landmarks.ravel()
                return face.crop, values
        return np.asarray(cv2.resize(frame, (size, size)), np.uint8), values

    def _open(self, name: str, shape: tuple[int, ...], kind: type) -> np.memmap:
        path = self.folder / name
        mode = "r+" if path.exists() else "w+"
        return np.lib.format.open_memmap(path, mode, kind, shape if mode == "w+" else None)


class StatisticsCache:
    """Statistics of faces, float16: N x ``shape``.

    Args:
        folder: where it lies.
        name: of the look, and of what is read (``learnt-3-5-6-8``).
        count: faces.
        shape: of the statistics of one.
    """

    def __init__(self, folder: Path, name: str, *, count: int, shape: tuple[int, ...]) -> None:
        self.name = name
        self.folder = folder
        self.done = rows_done(folder, self.name)
        path = folder / f"{self.name}.npy"
        mode = "r+" if path.exists() else "w+"
        self.values = np.lib.format.open_memmap(
            path, mode, np.float16, (count, *shape) if mode == "w+" else None
        )

    def fill(
        self,
        crop_at: Callable[[int], Image],
        statistics: Callable[[list[Image]], NDArray[np.float32]],
        *,
        limit: int,
        progress: Progress,
        batch: int = 32,
    ) -> None:
        """Run the tower over rows up to ``limit``; ``crop_at`` gives a row's crop."""
        limit = min(limit, len(self.values))
        start, began = self.done, time.monotonic()
        while self.done < limit:
            stop = min(self.done + batch, limit)
            crops = [crop_at(i) for i in range(self.done, stop)]
            self.values[self.done : stop] = statistics(crops).astype(np.float16)
            before, self.done = self.done, stop
            if self.done // EVERY != before // EVERY or self.done == limit:
                self.values.flush()
                save_rows_done(self.folder, self.name, self.done)
                rate = (self.done - start) / (time.monotonic() - began)
                progress(self.name, self.done, limit, rate)
