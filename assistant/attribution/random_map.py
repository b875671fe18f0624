"""A random map: the control that every measured map must beat."""

from __future__ import annotations

import hashlib

import numpy as np

from assistant.attribution.grids import attribution
from assistant.interfaces import Detector
from assistant.types import Attribution, Image, Trace

__all__ = ["RandomMap"]


class RandomMap:
    """Uniform noise on the patch grid, the same each time for the same crop and seed."""

    name = "random"
    class_specific = False

    def __init__(self, seed: int = 0, grid: tuple[int, int] = (16, 16)) -> None:
        self._seed = seed
        self._grid = grid

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """Map over ``crop``; asks the detector for nothing."""
        digest = hashlib.sha256(np.ascontiguousarray(crop).tobytes()).digest()
        rng = np.random.default_rng([self._seed, int.from_bytes(digest[:8], "little")])
        return attribution(
            rng.random(self._grid if trace is None else trace.grid),
            crop,
            method=self.name,
            class_specific=False,
            signed=False,
        )
