"""What a read-out learns from: views of the pictures, and what the tuned tower makes of them.

Each picture is seen as it is and worn (:mod:`assistant.training.augmentation`); of each genuine
one fakes are made too (:mod:`assistant.training.made_fakes`). A view is fixed by the recipe's seed,
its row and its kind, so that a run which was stopped goes on with the same views. The tower runs
once over all of them; statistics of its blocks and its patches, in few dimensions, are kept.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.detectors.read_out import PatchEvidenceReadOut
from assistant.detectors.tower import Tower, TowerLayout
from assistant.errors import InferenceError, TrainingError
from assistant.evaluation.known_masks import AlignedFace
from assistant.training.augmentation import worn
from assistant.training.face_cache import RowStore
from assistant.training.frozen import block_tokens, stacked_statistics
from assistant.training.made_fakes import laid_in, redrawn
from assistant.training.partial import exchanged, mended, spared, without_some
from assistant.training.reconstruction import Redrawer
from assistant.types import Image

__all__ = ["KINDS", "View", "ViewCache", "ViewMaker", "plan_views"]

ViewKind = Literal["plain", "worn", "laid-in", "redrawn", "part-out", "mended", "spared"]
#: ``part-out``: a part of any face taken out; ``mended``: what was laid in taken out again;
#: ``spared``: something laid in, and another part taken out.
KINDS: tuple[ViewKind, ...] = (
    "plain", "worn", "laid-in", "redrawn", "part-out", "mended", "spared",
)  # fmt: skip
#: Kinds that are made of genuine faces alone.
_OF_GENUINE = frozenset({"laid-in", "redrawn", "mended", "spared"})
_WORN_FAKES = 0.6
_TRIES = 12
_BASIS_VIEWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view: of a row of the crops, of a kind, the ``number``-th of that kind."""

    row: int
    kind: ViewKind
    number: int = 0


def plan_views(
    labels: Sequence[int],
    usable: Sequence[bool],
    blendable: Sequence[bool],
    counts: Mapping[str, float],
) -> list[View]:
    """All views, in a fixed random order.

    Args:
        labels: of the rows, 1 = manipulated.
        usable: whether a row could be read.
        blendable: whether a face with its points was found in it.
        counts: views of each kind of :data:`KINDS` for a row; 1.5: of every second row two. What
            is made needs a row in which a face was found.
    """
    views = []
    for row, label in enumerate(labels):
        if not usable[row]:
            continue
        for kind in KINDS:
            if (kind in _OF_GENUINE and label) or (kind not in KINDS[:2] and not blendable[row]):
                continue
            count, rest = divmod(counts.get(kind, 0.0), 1.0)
            more = rest and np.random.default_rng((row, KINDS.index(kind))).random() < rest
            views += [View(row=row, kind=kind, number=i) for i in range(int(count) + bool(more))]
    order = np.random.default_rng(0).permutation(len(views))
    return [views[i] for i in order]


class ViewMaker:
    """Makes views of wide crops; the middle ``side`` pixels are what the tower sees.

    Args:
        crop_at: the wide RGB uint8 crop of a row.
        points_at: its five points, 5 x 2, in pixels of that crop.
        donors: rows of genuine faces that may be laid into a row's face.
        redrawers: trained on genuine faces.
        side: of the view in pixels, at most the crop's.
        seed: of the recipe.
    """

    def __init__(
        self,
        crop_at: Callable[[int], Image],
        points_at: Callable[[int], NDArray[np.float64]],
        donors: Callable[[int], Sequence[int]],
        redrawers: Sequence[Redrawer],
        *,
        side: int,
        seed: int,
    ) -> None:
        self._crop_at, self._points_at, self._donors = crop_at, points_at, donors
        self._redrawers, self._side, self._seed = redrawers, side, seed

    def with_donors(self, donors: Callable[[int], Sequence[int]]) -> ViewMaker:
        """The same with other faces to lay in."""
        other = copy.copy(self)
        other._donors = donors
        return other

    def make(self, view: View) -> tuple[Image, NDArray[np.float32]]:
        """The RGB uint8 view and its mask: side x side in [0, 1], 1 where something was laid in."""
        rng = np.random.default_rng((self._seed, view.row, KINDS.index(view.kind), view.number))
        crop = self._crop_at(view.row)
        mask = np.zeros(crop.shape[:2], np.float32)
        wear = view.kind == "worn"
        if view.kind == "laid-in":
            crop, mask = self._laid_in(view.row, rng)
            wear = rng.random() < _WORN_FAKES
        elif view.kind == "redrawn":
            crop = redrawn(crop, self._redrawers, rng)
            wear = rng.random() < _WORN_FAKES
        elif view.kind == "part-out":
            crop = without_some(crop, self._points_at(view.row), rng)
        elif view.kind in ("mended", "spared"):
            crop, mask = self._with_part_out(view, rng)
        if wear:
            crop, mask = worn(crop, mask, rng)
        first = (crop.shape[0] - self._side) // 2
        inner = slice(first, first + self._side)
        return np.ascontiguousarray(crop[inner, inner]), mask[inner, inner]

    def _with_part_out(
        self, view: View, rng: np.random.Generator
    ) -> tuple[Image, NDArray[np.float32]]:
        """A face with a part exchanged, and then that part or another one taken out."""
        crop, points = self._crop_at(view.row), self._points_at(view.row)
        donors = self._donors(view.row)
        donor = self._crop_at(int(donors[int(rng.integers(len(donors)))]))
        nothing = np.zeros(crop.shape[:2], np.float32)
        try:
            picture, where = exchanged(crop, points, donor, rng)
        except (ValueError, InferenceError, TrainingError):
            return self._laid_in(view.row, rng) if view.kind == "spared" else (crop, nothing)
        if view.kind == "mended":
            return mended(picture, where, rng), nothing
        return spared(picture, where, rng), where.astype(np.float32)

    def _laid_in(self, row: int, rng: np.random.Generator) -> tuple[Image, NDArray[np.float32]]:
        donors = self._donors(row)
        other = int(donors[int(rng.integers(len(donors)))])
        face, donor = (
            AlignedFace(crop=self._crop_at(i), crop_landmarks=self._points_at(i))
            for i in (row, other)
        )
        for _ in range(_TRIES):
            try:
                return laid_in(face, donor, self._redrawers, rng)
            except ValueError:
                continue
        raise TrainingError(
            f"Nothing could be laid into the face of row {row}: its points lie outside the crop.",
            hint="Leave this picture out of the manifest.",
            code="swap-mask",
        )


class ViewCache:
    """What the tower makes of views, on disk, resumed where it stopped.

    ``statistics``: N x blocks x 3 x width, float16; ``made``: N logits of the patches that look for
    made pictures, float32; ``patches``: N x cells x dimensions, float16, along ``basis``;
    ``masks``: N x cells, float16, the share of a cell that was laid in.

    Raises:
        TrainingError: the folder holds other views.
    """

    def __init__(
        self,
        folder: Path,
        views: Sequence[View],
        *,
        layout: TowerLayout,
        blocks: Sequence[int],
        dimensions: int,
    ) -> None:
        self.folder, self.views, self.blocks, self.layout = folder, views, tuple(blocks), layout
        self.dimensions = min(dimensions, len(blocks) * layout.width)
        cells = layout.grid[0] * layout.grid[1]
        shape = (len(blocks), 3, layout.width)
        self._store = RowStore(
            folder,
            "views",
            len(views),
            {
                "statistics": (shape, np.float16),
                "made": ((), np.float32),
                "patches": ((cells, self.dimensions), np.float16),
                "masks": ((cells,), np.float16),
            },
        )
        self.statistics, self.made, self.patches, self.masks = self._store.arrays.values()
        if self.statistics.shape != (len(views), *shape) or (
            self.patches.shape[2] != self.dimensions
        ):
            raise TrainingError(
                f"The cache {folder} holds {len(self.statistics)} views, and this recipe makes "
                f"{len(views)}.",
                hint="Choose another --work folder, or delete this one.",
                code="other-views",
            )

    def basis(self, tower: Tower, maker: ViewMaker) -> NDArray[np.float32]:
        """Leading directions of the patches: (blocks x width + 1) x dimensions, the mean last.

        Each block's tokens are divided by their own deviation first, so that none outweighs.
        """
        path = self.folder / "basis.npy"
        if path.exists():
            return np.asarray(np.load(path))
        found = []
        for start in range(0, min(_BASIS_VIEWS, len(self.views)), 16):
            crops = [maker.make(view)[0] for view in self.views[start : start + 16]]
            tokens = self._tokens(tower, crops)
            found.append(torch.cat([t[:, 1:] for t in tokens], 2).flatten(0, 1).numpy())
        values = np.concatenate(found)
        scale = values.std(0).reshape(len(self.blocks), -1).mean(1).repeat(self.layout.width)
        mean = values.mean(0)
        _, _, axes = np.linalg.svd((values - mean)[::4] / scale, full_matrices=False)
        directions = (axes[: self.dimensions] / scale).T
        basis = np.vstack([directions, mean[None] @ directions]).astype(np.float32)
        np.save(path, basis)
        return basis

    def fill(self, tower: Tower, maker: ViewMaker, made: PatchEvidenceReadOut) -> None:
        """Run the tower over the views that are not made yet."""
        basis = torch.from_numpy(self.basis(tower, maker))
        size = self.layout.grid[::-1]

        def of(rows: range) -> dict[str, NDArray[Any]]:
            views = [maker.make(self.views[row]) for row in rows]
            cells = [cv2.resize(mask, size, interpolation=cv2.INTER_AREA) for _, mask in views]
            tokens = self._tokens(tower, [crop for crop, _ in views])
            with torch.inference_mode():
                patches = torch.cat([t[:, 1:] for t in tokens], 2) @ basis[:-1] - basis[-1]
                return {
                    "statistics": stacked_statistics(tokens).numpy(),
                    "made": made(tokens).numpy(),
                    "patches": patches.numpy(),
                    "masks": np.stack(cells).reshape(len(views), -1),
                }

        self._store.fill(of, limit=len(self.views))

    def _tokens(self, tower: Tower, crops: Sequence[Image]) -> list[Tensor]:
        with torch.inference_mode():
            return block_tokens(tower, self.layout, crops, self.blocks)
