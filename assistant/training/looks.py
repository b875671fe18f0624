"""What the tower sees of training faces: plain, mirrored, in a worse quality, blended, moved.

Each look is the statistics of some crops, kept on disk under a name that says all they depend on.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.training.augmentation import Augmentation, augment
from assistant.training.degradation import degrade
from assistant.training.detector_config import DetectorConfig
from assistant.training.face_cache import CropCache, StatisticsCache
from assistant.training.self_blended import self_blend
from assistant.types import Image

__all__ = ["Looks", "hash_of"]

_LOG = logging.getLogger(__name__)
_Rows = NDArray[np.int64] | Sequence[int]

#: Moves of a crop as another finding of the same face makes them, and another file of it.
_MOVES = Augmentation(
    mirror=0.0,
    affine=1.0,
    degrees=3.0,
    shift=0.025,
    scale=0.05,
    blur=0.0,
    downscale=0.1,
    jitter=0.03,
    jpeg=0.4,
    jpeg_quality=(60, 95),
)


def hash_of(text: str) -> int:
    """32 bits of SHA-256."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Looks at the crops of a cache; all are N x blocks x 3 x width, float16.

    Args:
        config: of the run.
        cache: its crops.
        parts: the part of each row.
        folder: of the statistics; one for each tower.
        run: crops to B x blocks x 3 x width statistics.
        progress: told (what, done, in all, images a second).
    """

    config: DetectorConfig
    cache: CropCache
    parts: NDArray[np.str_]
    folder: Path
    run: Callable[[list[Image]], NDArray[np.float32]]
    progress: Callable[[str, int, int, float], None]

    def plain(self, limit: int) -> NDArray[np.float16]:
        """Of the first rows; half of the training part mirrored, so that sides do not matter."""
        mirrored = self._mirrored() & (self.parts == "train")

        name = "mirrored" if self.config.flip else "plain"
        rows = np.arange(len(self.cache.rows))
        return self._kept(name, rows, lambda n, c: _turned(c) if mirrored[n] else c, limit=limit)

    def other_sides(self, train: NDArray[np.int64]) -> NDArray[np.float16]:
        """Of the training faces as :meth:`plain` does not look at them."""
        mirrored = self._mirrored()[train]
        return self._kept(
            f"other-sides-{len(train)}", train, lambda n, c: c if mirrored[n] else _turned(c)
        )

    def degraded(self, train: NDArray[np.int64]) -> NDArray[np.float16]:
        """Of the training faces in a worse quality, half of them mirrored."""
        how, seed = self.config.read_out.degradation, self.config.seed

        def change(number: int, crop: Image) -> Image:
            rng = np.random.default_rng((seed, 19, number))
            turn = self.config.flip and rng.random() < 0.5
            return degrade(_turned(crop) if turn else crop, rng, how)

        key = f"{hash_of(f'{how.model_dump_json()} {seed}'):08x}"
        return self._kept(f"degraded-{len(train)}-{key}", train, change)

    def blended(self) -> tuple[NDArray[np.float16], list[int]]:
        """Of self-blended faces of the training part, and the row each was made from."""
        config, cache = self.config, self.cache
        rng = np.random.default_rng(11)
        picked = cache.pick_for_blending(self.parts, config.self_blended, rng)
        if not picked:
            shape = (0, len(config.read_out.blocks), 3, config.layout.width)
            return np.zeros(shape, np.float16), []
        picked = [int(i) for i in rng.permutation(picked)]

        def change(number: int, crop: Image) -> Image:
            row = picked[number]
            draws = np.random.default_rng((config.seed, number))
            try:
                return self_blend(crop, cache.landmarks(row), draws)[0]
            except ValueError:
                name = cache.rows[row].name
                _LOG.warning("row %s: its points lie outside its crop; left out", name)
                return np.zeros_like(crop)

        key = hash_of(json.dumps([config.self_blended, len(self.parts), config.seed]))
        return self._kept(f"self-blended-{key:08x}", picked, change), picked

    def changes(self, train: NDArray[np.int64]) -> NDArray[np.float32]:
        """What small moves of the crop do to the statistics of some training faces."""
        config = self.config
        picked = np.random.default_rng((config.seed, 13)).permutation(train)
        picked = picked[: config.read_out.moved]

        def moved(number: int, crop: Image) -> Image:
            return augment(crop, np.random.default_rng((config.seed, 17, number)), _MOVES)[0]

        key = f"{len(picked)}-{config.seed}"
        as_is = self._kept(f"as-is-{key}", picked, lambda _, crop: crop).astype(np.float32)
        after = self._kept(f"moved-{key}", picked, moved).astype(np.float32)
        found: NDArray[np.float32] = after - as_is
        return found

    def _mirrored(self) -> NDArray[np.bool_]:
        """Which rows are looked at mirrored while training."""
        chosen = np.random.default_rng(7).random(len(self.cache.rows)) < 0.5
        found: NDArray[np.bool_] = chosen & self.config.flip
        return found

    def _kept(
        self,
        name: str,
        rows: _Rows,
        change: Callable[[int, Image], Image],
        limit: int | None = None,
    ) -> NDArray[np.float16]:
        """Of rows (the first ``limit`` only), each crop changed; ``change`` gets its place."""
        most = len(rows) if limit is None else limit
        blocks, width = self.config.read_out.blocks, self.config.layout.width
        store = StatisticsCache(self.folder, name, count=len(rows), blocks=blocks, width=width)

        def crop_at(number: int) -> Image:
            return change(number, np.array(self.cache.crops[rows[number]]))

        store.fill(crop_at, self.run, limit=most, progress=self.progress)
        return np.asarray(store.values[:most])


def _turned(crop: Image) -> Image:
    return crop[:, ::-1].copy()
