"""A face finder that is asked once for each picture: crops of several kinds need the same faces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from assistant.interfaces import FaceFinder
from assistant.types import Detection, Image

__all__ = ["RememberedFinder"]


class RememberedFinder:
    """Another finder, with what it found kept in ``folder``: a line a picture, by its pixels.

    ``inner``: the finder that is asked; ``folder``: of the file ``found-KEY.jsonl``, KEY from the
    finder's own provenance.
    """

    def __init__(self, inner: FaceFinder, folder: Path) -> None:
        self._inner, self.name = inner, inner.name
        told = json.dumps([inner.name, sorted(inner.provenance().items())])
        self._path = folder / f"found-{hashlib.sha256(told.encode()).hexdigest()[:16]}.jsonl"
        self._known: dict[str, tuple[Detection, ...]] = {}
        if self._path.is_file():
            for line in self._path.read_text("utf-8").splitlines():
                try:
                    key, found = json.loads(line)
                except ValueError:  # the last line of a run that was killed
                    continue
                self._known[key] = tuple(
                    Detection(
                        box_xyxy=(box[0], box[1], box[2], box[3]),
                        landmarks=np.array(points, np.float32),
                        confidence=confidence,
                    )
                    for box, points, confidence in found
                )

    def find(self, image: Image) -> tuple[Detection, ...]:
        """What the inner finder finds, asked once."""
        shape = np.array(image.shape).tobytes()
        key = hashlib.sha256(shape + np.ascontiguousarray(image).tobytes()).hexdigest()[:32]
        if key not in self._known:
            found = self._known[key] = self._inner.find(image)
            told = [
                [[float(v) for v in d.box_xyxy], d.landmarks.tolist(), float(d.confidence)]
                for d in found
            ]
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, told]) + "\n")
        return self._known[key]

    def provenance(self) -> Mapping[str, str]:
        """The inner finder's."""
        return self._inner.provenance()
