"""The industrial case of CLAD: trained on sound textures alone, measured on known defects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from assistant.detectors.clad import ClAdDetector
from assistant.detectors.plugin import Files
from assistant.evaluation.anomaly import anomaly_metrics, drawn_textures
from assistant.evaluation.face_manifest import ManifestRow
from assistant.training.face_set import FaceSet
from assistant.training.field import Budget, train_plugin

__all__ = ["measure_textures"]


def measure_textures(
    files: Files, output: Path, *, sound: int, tested: int, budget: Budget, seed: int = 0
) -> dict[str, Any]:
    """Train on ``sound`` drawn textures, measure on ``tested`` others, half of them with a defect.

    Args:
        files: where the tower lies.
        output: file of the trained detector.
        sound: textures without a defect to train on.
        tested: textures to measure on.
        budget: of the training.
        seed: of textures and training.

    Returns:
        Picture AUROC, pixel AUROC, PRO, the same of random maps, and the training's report.
    """
    pictures, _ = drawn_textures(sound, defects=False, seed=seed)
    rows = [
        ManifestRow(
            line=i, name=str(i), path=Path(str(i)), label=0, source="textures", video=str(i),
            family="", split="", crop=True,
        )
        for i in range(sound)
    ]  # fmt: skip
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
