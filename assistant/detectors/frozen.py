"""Frozen features: networks whose lower part is never trained, and what it gave of each face."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.types import Image

__all__ = ["FeatureStore", "FrozenFeatures", "to_pixels"]


#: New faces between two savings.
_EVERY = 256


class FrozenFeatures(nn.Module):
    """A network whose lower part is never trained: logits are ``head(features(pixels))``.

    Training computes the features once. Networks of the same ``feature_key`` share them.
    """

    feature_key: str = ""

    def features(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S to B x F."""
        raise NotImplementedError

    def head(self, features: Tensor) -> Tensor:
        """B x F to B logits."""
        raise NotImplementedError

    def forward(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S in [0, 1] to B logits."""
        with torch.no_grad():
            found = self.features(pixels)
        return self.head(found)


class FeatureStore:
    """Features of frozen towers by crop, shared by the detectors on the same tower.

    Args:
        folder: where they are kept between runs; None keeps them in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, dict[str, NDArray[np.float32]]] = {}

    def of(
        self, network: FrozenFeatures, crops: Sequence[Image], *, until: float = math.inf
    ) -> Tensor:
        """N x F, in the order of the crops: fewer where processor time reaches ``until``."""
        known = self._load(network.feature_key)
        names = [hashlib.sha256(np.ascontiguousarray(c).tobytes()).hexdigest()[:32] for c in crops]
        device = next(network.parameters()).device
        saved, count = len(known), len(crops)
        for start in range(0, len(crops), 16):
            part = range(start, min(start + 16, len(crops)))
            missing = [i for i in part if names[i] not in known]
            if missing and start and time.process_time() > until:
                count = start
                break
            if missing:
                pixels = to_pixels([crops[i] for i in missing], crops[0].shape[0]).to(device)
                with torch.no_grad():
                    values = network.features(pixels).cpu().numpy()
                known |= dict(zip((names[i] for i in missing), values, strict=True))
            if len(known) - saved >= _EVERY:
                self._save(network.feature_key)
                saved = len(known)
        if len(known) > saved:
            self._save(network.feature_key)
        found = np.stack([known[name] for name in names[:count]])
        return torch.from_numpy(found).to(device)

    def _path(self, key: str) -> Path | None:
        return None if self._folder is None else self._folder / f"features-{key}.npz"

    def _load(self, key: str) -> dict[str, NDArray[np.float32]]:
        path = self._path(key)
        if key not in self._known:
            self._known[key] = {}
            if path is not None and path.is_file():
                with np.load(path) as kept:
                    self._known[key] = dict(
                        zip(kept["names"].tolist(), kept["values"], strict=True)
                    )
        return self._known[key]

    def _save(self, key: str) -> None:
        path, known = self._path(key), self._known[key]
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}")
            np.savez(draft, names=np.array(list(known)), values=np.stack(list(known.values())))
            draft.replace(path)


def to_pixels(crops: Sequence[Image], side: int) -> Tensor:
    """RGB uint8 crops as float32 B x 3 x side x side in [0, 1]."""
    sized = [c if c.shape[:2] == (side, side) else cv2.resize(c, (side, side)) for c in crops]
    return torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255.0
