"""How well an anomaly map finds defects: picture AUROC, pixel AUROC and PRO, on drawn textures.

PRO (Bergmann et al., "MVTec AD", CVPR 2019): the share of each defect that is covered, averaged
over defects and over the false-positive rates up to 0.3; every defect counts the same.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from assistant.types import Image

__all__ = ["anomaly_metrics", "drawn_textures", "pro"]

_LIMIT = 0.3


def drawn_textures(
    count: int, *, defects: bool, seed: int, side: int = 224
) -> tuple[list[Image], NDArray[np.bool_]]:
    """Woven textures, and the masks of their defects (a scratch, a stain or a hole): N x S x S."""
    rng = np.random.default_rng(seed)
    pictures, masks = [], np.zeros((count, side, side), bool)
    rows, columns = np.mgrid[:side, :side]
    for index in range(count):
        turn, step = rng.uniform(0, np.pi), rng.uniform(7, 11)
        along = rows * np.cos(turn) + columns * np.sin(turn)
        across = columns * np.cos(turn) - rows * np.sin(turn)
        weave = np.sin(2 * np.pi * along / step) * np.sin(2 * np.pi * across / step)
        base = rng.uniform(90, 160, 3)
        picture = base + 35 * weave[..., None] + rng.normal(0, 6, (side, side, 3))
        picture = np.clip(picture, 0, 255).astype(np.uint8)
        if defects:
            mask = np.zeros((side, side), np.uint8)
            x, y = (int(v) for v in rng.integers(side // 5, 4 * side // 5, 2))
            kind = index % 3
            if kind == 0:
                dx, dy = (int(v) for v in rng.integers(-50, 50, 2))
                cv2.line(mask, (x, y), (x + dx, y + dy), 1, 5)
            else:
                size = int(rng.integers(12, 30))
                cv2.ellipse(mask, (x, y), (size, size // 2 + 5), float(turn), 0, 360, 1, -1)
            colour = 235 if kind == 0 else 20
            changed = (
                cv2.GaussianBlur(picture, (0, 0), 6) * 0.8
                if kind == 1
                else np.full_like(picture, colour)
            )
            picture = np.where(mask[..., None] > 0, changed, picture).astype(np.uint8)
            masks[index] = mask > 0
        pictures.append(picture)
    return pictures, masks


def anomaly_metrics(
    scores: NDArray[np.float64], maps: NDArray[np.float32], masks: NDArray[np.bool_]
) -> dict[str, Any]:
    """Picture AUROC, pixel AUROC and PRO.

    Args:
        scores: N, larger = more likely defective.
        maps: N x H x W, of any size.
        masks: N x S x S; all false for a sound picture.
    """
    side = masks.shape[1]
    large = np.stack([cv2.resize(m, (side, side), interpolation=cv2.INTER_LINEAR) for m in maps])
    return {
        "pictures": len(scores),
        "image_auroc": float(roc_auc_score(masks.any((1, 2)), scores)),
        "pixel_auroc": float(roc_auc_score(masks.ravel(), large.ravel())),
        "pro": pro(large, masks),
    }


def pro(maps: NDArray[np.float32], masks: NDArray[np.bool_], *, steps: int = 60) -> float:
    """Area under the mean covered share of defects over the false-positive rate up to 0.3."""
    sound = np.sort(maps[~masks])
    regions: list[NDArray[np.float32]] = []
    for heat, mask in zip(maps, masks, strict=True):
        count, labels = cv2.connectedComponents(mask.astype(np.uint8))
        regions += [heat[labels == number] for number in range(1, count)]
    rates = np.linspace(0, _LIMIT, steps)
    limits = np.quantile(sound, 1 - rates)
    covered = [np.mean([(r > limit).mean() for r in regions]) for limit in limits]
    return float(np.trapezoid(covered, rates) / _LIMIT)
