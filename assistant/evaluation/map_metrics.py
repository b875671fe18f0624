"""Figures for heat maps, each a plain function of arrays.

Localisation needs a known mask; faithfulness needs the detector; both are compared with a random
map and a centre prior, because a mask in the middle of a face is easily met by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from assistant.attribution.grids import enlarge
from assistant.types import Image

__all__ = [
    "auprc",
    "average_pool",
    "bootstrap",
    "centre_prior",
    "entropy",
    "imputed",
    "iou",
    "pointing",
    "road",
    "spearman",
    "trapezoid",
]

Heat = NDArray[np.floating]
Mask = NDArray[np.bool_]
#: A side of what is deleted, inserted and compared.
_CELLS = 16


def pointing(heat: Heat, mask: Mask) -> float:
    """1.0 where the map's highest point lies in the mask (ties: their share), else 0.0.

    Zhang et al., "Top-down Neural Attention by Excitation Backprop", arXiv 1608.00507. An empty
    map points nowhere: 0.0.
    """
    if heat.max() <= heat.min():
        return 0.0
    return float(mask[heat >= heat.max()].mean())


def iou(heat: Heat, mask: Mask) -> float:
    """Intersection over union of the mask and the map's highest pixels, as many as the mask has."""
    count = int(mask.sum())
    if count == 0 or heat.max() <= heat.min():
        return 0.0
    top = np.zeros(heat.size, bool)
    top[np.argsort(-heat.ravel(), kind="stable")[:count]] = True
    inner = int((top & mask.ravel()).sum())
    return inner / (2 * count - inner)


def auprc(heat: Heat, mask: Mask) -> float:
    """Average precision of the map as a ranking of pixels; chance: the mask's share of the crop."""
    if not mask.any():
        return 0.0
    return float(average_precision_score(mask.ravel(), heat.ravel()))


def entropy(heat: Heat) -> float:
    """Shannon entropy of the map over 16 x 16 cells, in [0, 1]; 1 = even or empty."""
    pooled = average_pool(heat, _CELLS).ravel()
    total = float(pooled.sum())
    if total <= 0:
        return 1.0
    share = pooled[pooled > 0] / total
    return float(-(share * np.log(share)).sum() / np.log(pooled.size))


def average_pool(heat: NDArray[Any], cells: int) -> NDArray[np.float64]:
    """Mean of each of ``cells`` x ``cells`` blocks."""
    rows = np.linspace(0, heat.shape[0], cells + 1).round().astype(int)
    cols = np.linspace(0, heat.shape[1], cells + 1).round().astype(int)
    sums = np.add.reduceat(
        np.add.reduceat(np.asarray(heat, np.float64), rows[:-1], 0), cols[:-1], 1
    )
    return np.asarray(sums / np.outer(np.diff(rows), np.diff(cols)))


def centre_prior(height: int, width: int) -> NDArray[np.float32]:
    """A Gaussian in the middle of the crop: what a map knows that only knows where faces are."""
    y, x = np.mgrid[0:height, 0:width]
    u = (x - (width - 1) / 2) / (0.22 * width)
    v = (y - (height - 1) / 2) / (0.22 * height)
    return np.asarray(np.exp(-(u**2 + v**2) / 2), np.float32)


def spearman(a: Heat, b: Heat) -> float:
    """Rank correlation of two maps over their cells; 0.0 where one of them is flat."""
    from scipy.stats import spearmanr

    if a.min() == a.max() or b.min() == b.max():
        return 0.0
    return float(spearmanr(a, b, axis=None).statistic)


def trapezoid(shares: Sequence[float], values: NDArray[np.float64]) -> float:
    """Area under a curve over [first, last] share, divided by that length."""
    x = np.asarray(shares, np.float64)
    return float(np.trapezoid(values, x) / (x[-1] - x[0]))


def road(
    crop: Image,
    heat: Heat,
    *,
    share: float,
    rng: np.random.Generator,
    insert: bool = False,
) -> Image:
    """The crop with the map's highest cells, of 16 x 16, filled by noisy linear imputation.

    Rong et al., "A Consistent and Efficient Evaluation Strategy for Attribution Methods" (ROAD),
    arXiv 2202.00449: every removed pixel is the weighted mean of its neighbours, solved together,
    plus a little noise, so that the hole's form tells the network nothing. Solved on a grid of two
    points a cell each way.

    ``share``: of the cells to fill, in [0, 1]; with ``insert``, to keep. ``insert``: fill all but
    the highest cells instead.
    """
    order = np.argsort(-average_pool(heat, _CELLS).ravel(), kind="stable")
    hidden: NDArray[np.bool_] = np.full(_CELLS**2, insert)
    hidden[order[: round(share * _CELLS**2)]] = not insert
    if not hidden.any():
        return crop
    hidden = hidden.reshape(_CELLS, _CELLS)
    rows, columns = (
        np.minimum(np.arange(side) * _CELLS // side, _CELLS - 1) for side in crop.shape[:2]
    )
    mask = hidden[rows][:, columns]
    scale = 2
    side = _CELLS * scale
    small = np.stack([average_pool(crop[..., c], side) for c in range(3)], axis=-1)
    hole = np.kron(hidden, np.ones((scale, scale), bool))
    filled = imputed(small, hole)
    filled[hole] += rng.normal(0.0, 2.55, (int(hole.sum()), 3))
    height, width = crop.shape[:2]
    big = np.stack([enlarge(filled[..., c], height, width) for c in range(3)], axis=-1)
    return np.where(mask[..., None], big.round().clip(0, 255).astype(np.uint8), crop)


def imputed(picture: NDArray[np.floating], hole: Mask) -> NDArray[np.float64]:
    """A picture (H x W x C) whose pixels in a hole are the weighted means of their neighbours.

    ROAD's linear imputation without its noise. A hole that is the whole picture gets its mean.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    filled = np.array(picture, np.float64)
    count = int(hole.sum())
    if hole.all():
        filled[hole] = filled.mean(axis=(0, 1))
        return filled
    index = -np.ones(hole.shape, int)
    index[hole] = np.arange(count)
    rows, cols = np.nonzero(hole)
    total, right = np.zeros(count), np.zeros((count, filled.shape[2]))
    links: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    for dr, dc, weight in _NEIGHBOURS:
        y, x = rows + dr, cols + dc
        at = np.flatnonzero((y >= 0) & (y < hole.shape[0]) & (x >= 0) & (x < hole.shape[1]))
        total[at] += weight
        near = index[y[at], x[at]]
        inside, known = near >= 0, at[near < 0]
        links.append((at[inside], near[inside], np.full(int(inside.sum()), -weight)))
        right[known] += weight * filled[y[known], x[known]]
    links.append((np.arange(count), np.arange(count), total))
    row, col, value = (np.concatenate(part) for part in zip(*links, strict=True))
    matrix = coo_matrix((value, (row, col)), (count, count)).tocsc()
    filled[hole] = np.asarray(spsolve(matrix, right)).reshape(count, -1)
    return filled


_NEIGHBOURS = tuple(
    (dr, dc, 1 / 6 if dr == 0 or dc == 0 else 1 / 12)
    for dr in (-1, 0, 1)
    for dc in (-1, 0, 1)
    if (dr, dc) != (0, 0)
)


def bootstrap(
    values: Sequence[float],
    *,
    groups: Sequence[str] | None = None,
) -> tuple[float, float, float]:
    """Mean and 95 % percentile bootstrap interval (mean, low, high); NaN where there is none.

    ``values``: those that are not finite are left out. ``groups``: what each value comes from (a
    face); groups are drawn whole, because samples made of one face are alike. None: each value for
    itself.
    """
    data = np.asarray(values, np.float64)
    finite = np.isfinite(data)
    names = np.arange(data.size) if groups is None else np.unique(groups, return_inverse=True)[1]
    data, names = data[finite], names[finite]
    if data.size == 0:
        return float("nan"), float("nan"), float("nan")
    names = np.unique(names, return_inverse=True)[1]
    sums, counts = np.bincount(names, data), np.bincount(names)
    picks = np.random.default_rng(0).integers(0, sums.size, (1000, sums.size))
    means = sums[picks].sum(axis=1) / counts[picks].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(data.mean()), float(low), float(high)
