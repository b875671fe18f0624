"""What the tower sees of training faces: as they are, mirrored, worse, blended, in part.

Each look is the statistics of some crops, kept on disk under a name that says all they depend on.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError, TrainingError
from assistant.training.degradation import degrade
from assistant.training.detector_config import DetectorConfig
from assistant.training.face_cache import CropCache, StatisticsCache
from assistant.training.partial import exchanged, mended, spared, without_some
from assistant.training.self_blended import self_blend
from assistant.types import Image

__all__ = ["Looks", "MoreFaces", "hash_of"]

_LOG = logging.getLogger(__name__)
_Rows = NDArray[np.int64] | Sequence[int]
_Then = Callable[[Image, NDArray[np.bool_], np.random.Generator], Image]
#: Looks at a face with a part exchanged: name, label, seed of its draws, what is done then.
_PART_LOOKS: tuple[tuple[str, int, int, _Then | None], ...] = (
    ("exchanged", 1, 33, None),
    ("mended", 0, 34, mended),
    ("spared", 1, 35, spared),
)


def hash_of(text: str) -> int:
    """32 bits of SHA-256."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreFaces:
    """Faces made from those of the training part.

    ``statistics`` N x blocks x 3 x width; ``rows`` they were made from; ``labels`` (1 =
    manipulated); ``weight`` of one beside a plain face; ``blended``: made from two pictures.
    """

    statistics: NDArray[np.float16]
    rows: list[int]
    labels: NDArray[np.int64]
    weight: float
    blended: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Looks at the crops of a cache; all are N x ``shape``, float16.

    Args:
        config: of the run.
        cache: its crops.
        parts: the part of each row.
        folder: of the statistics; one for each tower.
        run: crops to B x ``shape`` statistics.
        shape: of those of one face: blocks x 3 x width of a tower.
        progress: told (what, done, in all, images a second).
    """

    config: DetectorConfig
    cache: CropCache
    parts: NDArray[np.str_]
    folder: Path
    run: Callable[[list[Image]], NDArray[np.float32]]
    shape: tuple[int, ...]
    progress: Callable[[str, int, int, float], None]

    def as_they_are(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Of rows that are not learnt from."""
        return self._kept(f"held-out-{len(rows)}", rows, lambda _, crop: crop)

    def learnt(self, train: NDArray[np.int64]) -> NDArray[np.float16]:
        """Of the training faces; half of them mirrored, so that sides do not matter."""
        name = "learnt" if self.config.flip else "plain"
        return self._turned_where(name, train, self._mirrored()[train])

    def other_sides(self, train: NDArray[np.int64]) -> NDArray[np.float16]:
        """Of the training faces as :meth:`learnt` does not look at them."""
        return self._turned_where("other-sides", train, ~self._mirrored()[train])

    def degraded(self, train: NDArray[np.int64]) -> NDArray[np.float16]:
        """Of the training faces in a worse quality, half of them mirrored."""
        how, seed = self.config.read_out.degradation, self.config.seed

        def change(number: int, crop: Image) -> Image:
            rng = np.random.default_rng((seed, 19, number))
            turn = self.config.flip and rng.random() < 0.5
            return degrade(_turned(crop) if turn else crop, rng, how)

        key = f"{hash_of(f'{how.model_dump_json()} {seed}'):08x}"
        return self._kept(f"degraded-{len(train)}-{key}", train, change)

    def blended(self) -> MoreFaces | None:
        """Real faces of the training part, each blended with itself; None where none is wanted."""
        config, cache = self.config, self.cache
        rng = np.random.default_rng(11)
        picked = cache.pick_for_blending(self.parts, config.self_blended, rng)
        if not picked:
            return None
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
        return MoreFaces(
            statistics=self._kept(f"self-blended-{key:08x}", picked, change),
            rows=picked,
            labels=np.ones(len(picked), np.int64),
            weight=config.self_blended_weight,
        )

    def without(self, train: NDArray[np.int64]) -> MoreFaces | None:
        """Training faces of both kinds with a part taken out: they stay what they are."""
        how = self.config.read_out.partial
        sources = np.array([self.cache.rows[i].source for i in train])
        rng = np.random.default_rng((self.config.seed, 21))
        drawn = [
            rng.permutation(train[sources == source])[: round(share * (sources == source).sum())]
            for source, share in sorted(how.without.items())
        ]
        picked = [int(i) for i in rng.permutation(np.concatenate(drawn))] if drawn else []
        if not picked:
            return None

        def change(number: int, crop: Image) -> Image:
            draws = np.random.default_rng((self.config.seed, 31, number))
            points = self.cache.landmarks(picked[number])
            return self._finished(without_some(crop, points, draws), draws)

        return MoreFaces(
            statistics=self._kept(self._partial_name("without", picked), picked, change),
            rows=picked,
            labels=np.array([self.cache.rows[i].label for i in picked], np.int64),
            weight=how.weight,
            blended=False,
        )

    def exchanged(self) -> list[MoreFaces]:
        """Real faces with a part exchanged: as such, with that part taken out, and with another."""
        rng = np.random.default_rng((self.config.seed, 22))
        shares = self.config.read_out.partial.exchanged
        drawn = rng.permutation(self.cache.pick_for_blending(self.parts, shares, rng))
        picked = [int(i) for i in drawn]
        if not picked:
            return []
        donors = {source: self.cache.blendable(self.parts, source) for source in shares}
        found = []
        for name, label, seed, then in _PART_LOOKS:
            change = partial(self._part, picked, donors, seed, then)
            found.append(
                MoreFaces(
                    statistics=self._kept(self._partial_name(name, picked), picked, change),
                    rows=picked,
                    labels=np.full(len(picked), label, np.int64),
                    weight=self.config.read_out.partial.weight,
                )
            )
        return found

    def _part(
        self,
        picked: Sequence[int],
        donors: Mapping[str, list[int]],
        seed: int,
        then: _Then | None,
        place: int,
        crop: Image,
    ) -> Image:
        """A face with a part exchanged, the same for every ``then`` that changes it further."""
        row = picked[place]
        draws = np.random.default_rng((self.config.seed, 32, place))
        own = np.random.default_rng((self.config.seed, seed, place))
        donor = np.array(self.cache.crops[draws.choice(donors[self.cache.rows[row].source])])
        try:
            picture, mask = exchanged(crop, self.cache.landmarks(row), donor, draws)
        except (ValueError, InferenceError, TrainingError) as error:
            _LOG.warning("row %s: left out (%s)", self.cache.rows[row].name, error)
            return np.zeros_like(crop)
        return self._finished(then(picture, mask, own) if then else picture, own)

    def _finished(self, crop: Image, draws: np.random.Generator) -> Image:
        """Half of the crops mirrored, some in a worse quality."""
        if self.config.flip and draws.random() < 0.5:
            crop = _turned(crop)
        if draws.random() < self.config.read_out.partial.degraded:
            crop = degrade(crop, draws, self.config.read_out.degradation)
        return crop

    def _partial_name(self, name: str, picked: Sequence[int]) -> str:
        how = self.config.read_out
        key = [how.partial.model_dump(), how.degradation.model_dump(), len(self.parts)]
        return f"{name}-{len(picked)}-{hash_of(json.dumps([*key, self.config.seed])):08x}"

    def _mirrored(self) -> NDArray[np.bool_]:
        """Which rows are looked at mirrored while training."""
        chosen = np.random.default_rng(7).random(len(self.cache.rows)) < 0.5
        found: NDArray[np.bool_] = chosen & self.config.flip
        return found

    def _turned_where(
        self, name: str, rows: NDArray[np.int64], turned: NDArray[np.bool_]
    ) -> NDArray[np.float16]:
        return self._kept(
            f"{name}-{len(rows)}", rows, lambda n, crop: _turned(crop) if turned[n] else crop
        )

    def _kept(
        self, name: str, rows: _Rows, change: Callable[[int, Image], Image]
    ) -> NDArray[np.float16]:
        """Of rows, each crop changed; ``change`` gets its place."""
        read = "-".join(str(block) for block in self.config.read_out.blocks) or "texture"
        store = StatisticsCache(self.folder, f"{name}-{read}", count=len(rows), shape=self.shape)

        def crop_at(number: int) -> Image:
            return change(number, np.array(self.cache.crops[rows[number]]))

        store.fill(crop_at, self.run, limit=len(rows), progress=self.progress)
        return np.asarray(store.values)


def _turned(crop: Image) -> Image:
    return crop[:, ::-1].copy()
