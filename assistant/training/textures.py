"""The industrial case of CLAD: trained on sound textures alone, measured on known defects.

PRO (Bergmann et al., "MVTec AD", CVPR 2019): the share of each defect that is covered, averaged
over defects and over the false-positive rates up to 0.3; every defect counts the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from assistant.detectors.clad import ClAdDetector
from assistant.detectors.plugin import Files
from assistant.evaluation.face_manifest import ManifestRow
from assistant.training.face_set import FaceSet
from assistant.training.field import Budget, train_plugin
from assistant.types import Image

__all__ = ["anomaly_metrics", "drawn_textures", "measure_textures", "pro"]

_LIMIT = 0.3


def measure_textures(
    files: Files, output: Path, *, sound: int, tested: int, budget: Budget, seed: int = 0
) -> dict[str, Any]:
    """Train on ``sound`` drawn textures, measure on ``tested`` others, half of them with a defect.

    ``sound``: textures without a defect to train on; ``tested``: textures to measure on.

    Returns:
        Picture AUROC, pixel AUROC, PRO, the same of random maps, and the training's report.
    """
    pictures, _ = drawn_textures(sound, defects=False, seed=seed)
    rows = [
        ManifestRow(line=i, name=str(i), path=Path(str(i)), label=0, video=str(i), crop=True)
        for i in range(sound)
    ]
    nowhere = np.zeros((sound, 5, 2))
    normal = FaceSet(crops=pictures, landmarks=nowhere, known=np.zeros(sound, bool), rows=rows)
    report = train_plugin(
        ClAdDetector, normal, None, files, output=output, budget=budget, seed=seed
    )
    detector = ClAdDetector.load(output, files)
    good, clean = drawn_textures(tested // 2, defects=False, seed=seed + 1)
    bad, broken = drawn_textures(tested // 2, defects=True, seed=seed + 2)
    both, masks = [*good, *bad], np.concatenate([clean, broken])
    maps = np.concatenate([detector.maps(both[i : i + 8]) for i in range(0, len(both), 8)])
    rng = np.random.default_rng(seed)
    chance = rng.normal(size=maps.shape).astype(np.float32)
    return {
        "schema": "whyfake.anomalies/1",
        **anomaly_metrics(detector.logits(both), maps, masks),
        "random": anomaly_metrics(rng.normal(size=len(both)), chance, masks),
        "training": report,
    }


def drawn_textures(
    count: int, *, defects: bool, seed: int
) -> tuple[list[Image], NDArray[np.bool_]]:
    """Woven textures, and the masks of their defects (a scratch, a stain or a hole): N x S x S."""
    rng = np.random.default_rng(seed)
    side = 224
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

    ``scores``: N, larger = more likely defective. ``maps``: N x H x W, of any size. ``masks``: N x
    S x S; all false for a sound picture.
    """
    side = masks.shape[1]
    large = np.stack([cv2.resize(m, (side, side), interpolation=cv2.INTER_LINEAR) for m in maps])
    return {
        "pictures": len(scores),
        "image_auroc": float(roc_auc_score(masks.any((1, 2)), scores)),
        "pixel_auroc": float(roc_auc_score(masks.ravel(), large.ravel())),
        "pro": pro(large, masks),
    }


def pro(maps: NDArray[np.float32], masks: NDArray[np.bool_]) -> float:
    """Area under the mean covered share of defects over the false-positive rate up to 0.3."""
    sound = np.sort(maps[~masks])
    regions: list[NDArray[np.float32]] = []
    for heat, mask in zip(maps, masks, strict=True):
        count, labels = cv2.connectedComponents(mask.astype(np.uint8))
        regions += [heat[labels == number] for number in range(1, count)]
    rates = np.linspace(0, _LIMIT, 60)
    limits = np.quantile(sound, 1 - rates)
    covered = [np.mean([(r > limit).mean() for r in regions]) for limit in limits]
    return float(np.trapezoid(covered, rates) / _LIMIT)
