"""The pictures around faces on disk: :func:`assistant.faces.surroundings.surroundings` of each row.

A picture that cannot be read, or shows no face, has nothing around.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from assistant.errors import MediaError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.faces.surroundings import SIDE, surroundings
from assistant.interfaces import FaceFinder
from assistant.media import MediaLimits, load_media, read_path
from assistant.training.face_cache import EVERY, rows_done, save_rows_done
from assistant.training.splits import list_sha256
from assistant.types import Image

__all__ = ["WindowCache"]

_LOG = logging.getLogger(__name__)


class WindowCache:
    """``windows.npy`` (N x 256 x 256 x 3, the upper left corner filled) and ``sizes.npy`` (N x 2).

    Args:
        root: of the caches.
        rows: whose pictures are looked at; another list has another folder.
        finder: finds the faces; another one has another folder.
    """

    def __init__(self, root: Path, rows: Sequence[ManifestRow], finder: FaceFinder) -> None:
        self.rows, self._finder = rows, finder
        found_by = {"finder": finder.name, **finder.provenance()}
        key = hashlib.sha256(
            json.dumps([list_sha256(rows), [row.name for row in rows], SIDE, found_by]).encode()
        )
        self.folder = root / f"windows-{key.hexdigest()[:16]}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.done = rows_done(self.folder, "windows")
        self._windows = self._open("windows.npy", (len(rows), SIDE, SIDE, 3), np.uint8)
        self._sizes = self._open("sizes.npy", (len(rows), 2), np.int16)

    def fill(self, progress: Callable[[str, int, int, float], None]) -> None:
        """Look at the rows that are left; goes on where it stopped."""
        start, began = self.done, time.monotonic()
        for index in range(start, len(self.rows)):
            window = self._look(self.rows[index])
            if window is not None:
                height, width = window.shape[:2]
                self._windows[index, :height, :width] = window
                self._sizes[index] = height, width
            self.done = index + 1
            if self.done % EVERY == 0 or self.done == len(self.rows):
                self._windows.flush()
                self._sizes.flush()
                save_rows_done(self.folder, "windows", self.done)
                rate = (self.done - start) / (time.monotonic() - began)
                progress("surroundings", self.done, len(self.rows), rate)

    def window(self, index: int) -> Image | None:
        """The picture around the face of a row, a copy."""
        height, width = (int(side) for side in self._sizes[index])
        return np.array(self._windows[index, :height, :width]) if height else None

    def _look(self, row: ManifestRow) -> Image | None:
        limits = MediaLimits(frames=1)
        try:
            frame = load_media(read_path(row.path, limits), limits).frames[0]
        except MediaError as error:
            _LOG.warning("line %d: %s: %s", row.line, row.name, error.user_message)
            return None
        found = self._finder.find(frame)
        return surroundings(frame, found[0].landmarks) if found else None

    def _open(self, name: str, shape: tuple[int, ...], kind: type) -> np.memmap:
        path = self.folder / name
        mode = "r+" if path.exists() else "w+"
        return np.lib.format.open_memmap(path, mode, kind, shape if mode == "w+" else None)
