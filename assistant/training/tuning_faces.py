"""The pictures of the ``layer-norms`` recipe: aligned crops, and blends of the real ones.

With a frozen lower half and no augmentation, the tokens that enter the tuned half never change:
``keep_tokens`` computes them once (257 x 384 float16 = 197 KB a picture for ViT-S/14), so that a
step on the CPU costs the upper blocks alone.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.detectors.tower import Tower, TowerLayout, embed, run_blocks
from assistant.training.augmentation import augment
from assistant.training.detector_config import DetectorConfig
from assistant.training.face_cache import UNREADABLE, CropCache, RowStore
from assistant.training.self_blended import self_blend
from assistant.training.splits import parts_of
from assistant.types import Image

__all__ = ["TuningFaces"]


class TuningFaces:
    """Rows 0 to ``known`` are the manifest's; those after are blends of training faces.

    Attributes:
        labels: N, 1 = manipulated or blended.
        videos: N source videos; a blend belongs to the video of its face.
        parts: N parts of the split.
        usable: N.
        sources: N.
    """

    def __init__(
        self, cache: CropCache, limit: int, config: DetectorConfig, layout: TowerLayout
    ) -> None:
        self._cache, self._config, self._layout = cache, config, layout
        self._tokens: NDArray[np.float16] | None = None
        known = cache.rows[:limit]
        self.known = len(known)
        parts = parts_of(
            known, {"test": config.test_percent, "calibration": config.calibration_percent}
        )
        rng = np.random.default_rng(11)
        self.origin = cache.pick_for_blending(parts, config.self_blended, rng)
        rows = [*known, *(known[i] for i in self.origin)]
        self.labels = np.array([r.label for r in known] + [1] * len(self.origin), np.int64)
        self.videos = [r.video for r in rows]
        self.sources = np.array([r.source for r in rows])
        self.parts = np.array([*parts, *(["train"] * len(self.origin))])
        readable = cache.points[:limit, 0] != UNREADABLE
        self.usable = np.concatenate([readable, np.ones(len(self.origin), bool)])

    def crop(self, row: int) -> Image:
        """A row's crop; a blend is the same one every time."""
        if row < self.known:
            return np.array(self._cache.crops[row])
        face = self.origin[row - self.known]
        points = self._cache.landmarks(face)
        crop = np.array(self._cache.crops[face])
        try:
            return self_blend(crop, points, np.random.default_rng((11, row)))[0]
        except ValueError:
            return crop  # its points lie outside the crop: nothing to blend, so nothing to see

    def images(self, rows: NDArray[np.int64], seed: int) -> Tensor:
        """Normalised pictures B x 3 x S x S; ``seed`` of the augmentation, 0 for none."""
        side = self._layout.image_size
        crops = []
        for row in rows:
            crop = self.crop(int(row))
            if seed:
                crop, _ = augment(crop, np.random.default_rng((self._config.seed, seed, int(row))))
            if crop.shape[0] != side:
                crop = np.asarray(
                    cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8
                )
            crops.append(crop)
        return self._layout.normalised(crops)

    def pictures(self, rows: NDArray[np.int64], seed: int) -> Tensor:
        """What the tuned blocks take in: pictures, or the kept tokens B x T x width."""
        if self._tokens is None:
            return self.images(rows, seed)
        return torch.from_numpy(self._tokens[rows].astype(np.float32))

    def keep_tokens(self, tower: Tower, block: int, folder: Path) -> None:
        """Compute every row's tokens after ``block`` once; what is in ``folder`` is used again."""
        config, layout = self._config, self._layout
        key = json.dumps([config.self_blended, self.known, block, config.base])
        name = f"tokens-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        shape = (layout.grid[0] * layout.grid[1] + 1, layout.width)
        store = RowStore(folder, name, len(self.labels), {name: (shape, np.float16)})
        low = tower.to(torch.bfloat16)

        def of(rows: range) -> dict[str, NDArray[np.float32]]:
            with torch.inference_mode():
                entered = embed(low, self.images(np.array(rows), 0).bfloat16())
                return {name: run_blocks(low, entered, range(block + 1))[-1].float().numpy()}

        store.fill(of, limit=len(self.labels), batch=16)
        self._tokens = store.arrays[name]
