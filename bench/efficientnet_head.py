"""A baseline beside the detector: frozen EfficientNet-Lite0 with a linear head on the same data.

Crops, split and test part are those
of the configuration that is named, so the numbers stand beside that detector's.

    python bench/efficientnet_head.py configs/detector-vits14.yaml --work .work --json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from assistant.detectors.texture import read_network
from assistant.evaluation.detection_metrics import auroc
from assistant.evaluation.face_manifest import read_manifest
from assistant.faces.centerface import CenterFaceFinder
from assistant.training.detector_config import load_config
from assistant.training.face_cache import UNREADABLE, CropCache
from assistant.training.splits import parts_of
from assistant.weights import locate

_SIDE = 224
_BATCH = 16


def network() -> torch.nn.Module:
    """EfficientNet-Lite0 without its classifier, weights loaded strictly."""
    model = read_network(locate("efficientnet-lite0"))
    model.reset_classifier(0)
    return model.eval().to(memory_format=torch.channels_last)


def features(model: torch.nn.Module, cache: CropCache, rows: NDArray[np.int64]) -> NDArray:
    """N x 1280 pooled features of the rows' crops."""
    kept = []
    began = time.monotonic()
    with torch.inference_mode():
        for start in range(0, len(rows), _BATCH):
            crops = [
                cv2.resize(np.array(cache.crops[r]), (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
                for r in rows[start : start + _BATCH]
            ]
            pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()
            pixels = ((pixels - 127.0) / 128.0).to(memory_format=torch.channels_last)
            kept.append(model(pixels).numpy())
            if start % (100 * _BATCH) == 0:
                rate = (start + _BATCH) / (time.monotonic() - began)
                print(f"{start} of {len(rows)} ({rate:.0f}/s)", file=sys.stderr)
    return np.concatenate(kept)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--work", type=Path, default=Path(".work"))
    parser.add_argument("--limit", type=int, default=9000, help="rows at most, in random order")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    config = load_config(chosen.config)
    known = read_manifest(config.manifest)
    cache = CropCache(chosen.work, known, config.crop.spec)
    limit = min(chosen.limit, len(known))
    cache.fill(CenterFaceFinder(locate("centerface")), limit=limit, progress=_tell)
    known = cache.rows[:limit]
    parts = parts_of(
        known, test_percent=config.test_percent, calibration_percent=config.calibration_percent
    )
    rows = np.flatnonzero((cache.points[:limit, 0] != UNREADABLE) & (parts != "calibration"))
    sources = np.array([known[r].source for r in rows])
    labels = np.array([known[r].label for r in rows])
    inside = features(network(), cache, rows)
    train = parts[rows] == "train"
    scaler = StandardScaler().fit(inside[train])
    weights = np.array([config.source_weights.get(s, 1.0) for s in sources[train]])
    head = LogisticRegression(C=1e-3, max_iter=500)
    head.fit(scaler.transform(inside[train]), labels[train], sample_weight=weights)
    logits = head.decision_function(scaler.transform(inside))
    test = {}
    for source in sorted(set(sources)):
        part = ~train & (sources == source)
        test[source] = {"auroc": auroc(labels[part], logits[part]), "n": int(part.sum())}
    result = {"trained_on": int(train.sum()), "test": test}
    print(json.dumps(result, indent=1) if chosen.json else result)


def _tell(what: str, done: int, total: int, value: float) -> None:
    print(f"{what}: {done} of {total} ({value:.3g})", file=sys.stderr)


if __name__ == "__main__":
    main()
