"""Crops and block statistics on disk, made once and resumed where they stopped.

Rows are worked on in a fixed random order, so that an unfinished cache is a fair sample. A picture
that cannot be read or shows no face is marked and never stops the work. The folder's name is the
hash of all that the content depends on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assistant.errors import InferenceError, TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.scoring import read_row
from assistant.faces.crops import make_face
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits
from assistant.training.splits import list_sha256
from assistant.types import CropSpec, Image

__all__ = ["FOUND", "UNREADABLE", "CropCache", "RowStore", "work_order"]

#: Rows between two savings.
_EVERY = 256
UNREADABLE, WHOLE, FOUND = -1, 0, 1


def work_order(count: int) -> NDArray[np.int64]:
    """The fixed random order in which rows are worked on."""
    return np.random.default_rng(0).permutation(count)


class RowStore:
    """Arrays on disk, a row a picture, filled from the first row on and resumed where that stopped.

    ``NAME.npy`` holds an array, ``NAME.done`` of the store how many rows are made.

    Args:
        folder: where they lie.
        name: of the store.
        count: rows.
        arrays: by name, the shape of a row and the kind of its numbers.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        count: int,
        arrays: Mapping[str, tuple[tuple[int, ...], type[Any]]],
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name, self.count = folder, name, count
        told = folder / f"{name}.done"
        self.done = int(told.read_text()) if told.exists() else 0
        self.arrays: dict[str, np.memmap] = {}
        for array, (shape, kind) in arrays.items():
            path = folder / f"{array}.npy"
            new = None if path.exists() else (count, *shape)
            mode = "w+" if new else "r+"
            self.arrays[array] = np.lib.format.open_memmap(path, mode, kind, new)

    def fill(
        self,
        make: Callable[[range], Mapping[str, NDArray[Any]]],
        *,
        limit: int,
        batch: int = 32,
    ) -> None:
        """Fill up to row ``limit`` with what ``make`` gives of some rows, by the arrays' names."""
        limit = min(limit, self.count)
        bar = tqdm(desc=self.name, total=limit, initial=self.done)
        while self.done < limit:
            rows = range(self.done, min(self.done + batch, limit))
            for array, values in make(rows).items():
                self.arrays[array][rows.start : rows.stop] = values
            self.done = rows.stop
            bar.update(len(rows))
            if self.done // _EVERY != rows.start // _EVERY or self.done == limit:
                for stored in self.arrays.values():
                    stored.flush()
                # a kill leaves the old number or the new one
                draft = self.folder / f".{self.name}.done"
                draft.write_text(str(self.done))
                draft.replace(self.folder / f"{self.name}.done")


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
        shapes = {"crops": ((spec.size, spec.size, 3), np.uint8), "points": ((12,), np.float32)}
        self._store = RowStore(root / f"crops-{key}", "crops", len(rows), shapes)
        self.folder = self._store.folder
        self.crops, self.points = self._store.arrays["crops"], self._store.arrays["points"]

    def fill(self, finder: FaceFinder, *, limit: int) -> None:
        """Find and align faces up to row ``limit``.

        Raises:
            TrainingError: what is there was made with another face finder.
        """
        self._same_finder(finder)

        def made(rows: range) -> dict[str, NDArray[Any]]:
            crop, points = self._one(self.rows[rows.start], finder)
            return {"crops": crop[None], "points": points[None]}

        self._store.fill(made, limit=limit, batch=1)

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
