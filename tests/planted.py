"""A detector whose reason is known: it calls a face manipulated for the colour of one cell alone.

Public, fast and deterministic, for tests of maps and counterfactuals and for plugin authors:
whatever claims to show why a detector decided must point to :attr:`PlantedCueDetector.cue_mask`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError
from assistant.types import CropSpec, Image, Trace

__all__ = ["PlantedCueDetector"]


class PlantedCueDetector:
    """``logit = gain * (redness of the cue's cells - 0.25)``; every other pixel is ignored.

    Redness is the mean of (red - green) / 255 over a patch. The trace is that of a one-block,
    two-head transformer that computes just this: the class token attends to the cue's patches,
    whose value is their redness.

    Args:
        cue: first row, first column, rows and columns of the cue on the patch grid.
        grid: rows and columns of the patch grid.
        gain: scale of the logit.
    """

    name = "planted-cue-demo"
    crop_spec = CropSpec(size=224, scale=0.95, shift_y=-0.13)

    def __init__(
        self,
        cue: tuple[int, int, int, int] = (10, 6, 3, 4),
        *,
        grid: tuple[int, int] = (16, 16),
        gain: float = 12.0,
    ) -> None:
        row, col, rows, cols = cue
        if not (0 <= row < row + rows <= grid[0] and 0 <= col < col + cols <= grid[1]):
            raise ValueError(f"the cue {cue} does not lie within the {grid} grid")
        self._grid = grid
        self._gain = gain
        gate = np.zeros(grid)
        gate[row : row + rows, col : col + cols] = 1.0
        self._gate = gate.ravel()
        self.weights_sha256 = hashlib.sha256(repr((cue, grid, gain)).encode()).hexdigest()

    @property
    def cue_mask(self) -> NDArray[np.bool_]:
        """The cue's cells on the patch grid."""
        return self._gate.reshape(self._grid) > 0

    def _patches(self, crop: Image) -> NDArray[np.float64]:
        """Mean colour of each patch, N x 3 in [0, 1]."""
        height, width = crop.shape[:2]
        rows, cols = self._grid
        if height % rows or width % cols:
            raise InferenceError(
                f"{self.name} reads crops whose sides are multiples of {rows} and {cols}, "
                f"not {height} x {width}.",
                hint=f"Give it {self.crop_spec.size} x {self.crop_spec.size} crops.",
            )
        cells = crop.reshape(rows, height // rows, cols, width // cols, 3)
        return np.asarray(cells.mean(axis=(1, 3), dtype=np.float64).reshape(-1, 3) / 255.0)

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """Raw scores, one a crop."""
        return np.array([self._logit(self._patches(crop)) for crop in crops], np.float64)

    def _logit(self, patches: NDArray[np.float64]) -> float:
        redness = patches[:, 0] - patches[:, 1]
        return float(self._gain * (redness @ self._gate / self._gate.sum() - 0.25))

    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """Attention, tokens and their gradients of the equivalent one-block transformer."""
        patches = self._patches(crop)
        count = len(patches)
        redness = patches[:, 0] - patches[:, 1]
        attention = np.full((1, 2, count + 1, count + 1), 1.0 / (count + 1))
        attention[0, :, 0, 0] = 0.0
        attention[0, :, 0, 1:] = self._gate / self._gate.sum()
        gradient = np.zeros_like(attention)
        gradient[0, :, 0, 1:] = 0.5 * self._gain * redness * self._gate
        tokens = np.zeros((1, count + 1, 4))
        tokens[0, 1:, :3] = patches
        tokens[0, 1:, 3] = 1.0
        token_gradient = np.zeros_like(tokens)
        token_gradient[0, 1:, 0] = self._gain * self._gate / self._gate.sum()
        token_gradient[0, 1:, 1] = -token_gradient[0, 1:, 0]
        return Trace(
            logit=self._logit(patches),
            layers=(0,),
            grid=self._grid,
            attention=attention.astype(np.float32),
            attention_gradient=gradient.astype(np.float32),
            tokens=tokens.astype(np.float32),
            token_gradient=token_gradient.astype(np.float32),
            patch_logits=(self._gain * redness * self._gate).astype(np.float32),
        )

    def provenance(self) -> Mapping[str, str]:
        """It has no weights; the cue is its only parameter."""
        return {"model": "none (demo)"}
