"""The ``layer-norms`` recipe from manifest to delta."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from assistant.calibration.fitting import fit_calibrator
from assistant.detectors.delta_file import DeltaHeader, write_delta
from assistant.detectors.read_out import ClassTokenReadOut
from assistant.detectors.tower import TOWERS, build_tower, embed, run_blocks, tower_sha256
from assistant.evaluation.detection_metrics import auroc
from assistant.evaluation.face_manifest import read_manifest
from assistant.interfaces import FaceFinder
from assistant.training.augmentation import augment
from assistant.training.detector_config import DetectorConfig
from assistant.training.face_cache import UNREADABLE, CropCache
from assistant.training.layer_norms import tune_layer_norms
from assistant.training.splits import list_sha256, part_of

__all__ = ["train_layer_norms"]


def train_layer_norms(
    config: DetectorConfig,
    base: Path,
    finder: FaceFinder,
    *,
    work: Path,
    output: Path,
    progress: Callable[[str, int, int, float], None],
) -> dict[str, Any]:
    """Crops, tuning, calibration, one file; as :func:`assistant.training.detector.train_detector`.

    The calibration part also decides which epoch is kept; the test part is seen once, at the end.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    rows = read_manifest(config.manifest)
    limit = min(config.limit or len(rows), len(rows))
    layout = TOWERS[config.tower]
    state = load_file(base)
    tower = build_tower(layout)
    tower.load_state_dict(state)
    head = ClassTokenReadOut(
        width=layout.width, last_block=layout.layers - 1, normalise=config.tuning.normalise
    )
    cache = CropCache(work, rows, config.crop.spec)
    cache.fill(finder, limit=limit, progress=progress)
    known = cache.rows[:limit]
    labels = np.array([r.label for r in known], np.int64)
    videos = [r.video for r in known]
    parts = np.array(
        [
            part_of(
                v,
                test_percent=config.test_percent,
                calibration_percent=config.calibration_percent,
            )
            for v in videos
        ]
    )
    usable = cache.points[:limit, 0] != UNREADABLE
    split = {name: np.flatnonzero((parts == name) & usable) for name in np.unique(parts)}
    mean = torch.tensor(layout.mean).view(1, 3, 1, 1) * 255.0
    std = torch.tensor(layout.std).view(1, 3, 1, 1) * 255.0

    def pictures(chosen: NDArray[np.int64], seed: int) -> Tensor:
        crops = []
        for row in chosen:
            crop = np.array(cache.crops[row])
            if seed:
                crop, _ = augment(crop, np.random.default_rng((config.seed, seed, int(row))))
            if crop.shape[0] != layout.image_size:
                side = (layout.image_size, layout.image_size)
                crop = np.asarray(cv2.resize(crop, side, interpolation=cv2.INTER_CUBIC), np.uint8)
            crops.append(crop)
        pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()
        return (pixels - mean) / std

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tuned = tune_layer_norms(
        tower,
        head,
        pictures,
        labels,
        videos,
        (split["train"], split["calibration"]),
        config.tuning,
        seed=config.seed,
        checkpoint=work / "layer-norms.pt",
        progress=progress,
        device=device,
    )
    tower.load_state_dict({**tower.state_dict(), **tuned.norms})
    head.load_state_dict(tuned.head)

    def logits(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        found = []
        with torch.inference_mode():
            for start in range(0, len(chosen), 16):
                images = pictures(chosen[start : start + 16], 0).to(device)
                tokens = run_blocks(tower, embed(tower, images), range(layout.layers))[-1]
                found.append(head([tower.ln_post(tokens)]).double().cpu().numpy())
        return np.concatenate(found)

    held = split["calibration"]
    calibrator = fit_calibrator(
        logits(held),
        labels[held],
        groups=[videos[i] for i in held],
        fitted_on={"pictures": len(held), "split": "by video"},
    )
    test = split["test"]
    value = auroc(labels[test], logits(test))
    report = {
        "data_sha256": list_sha256(known),
        "pictures": len(known),
        "trained_on": len(split["train"]),
        "validation_auroc": [round(v, 4) for v in tuned.validation],
        "test": {"all": {"auroc": None if value is None else round(value, 4), "n": len(test)}},
        "config": config.model_dump(mode="json", exclude={"manifest"}),
    }
    header = DeltaHeader(
        tower=layout,
        base_sha256=tower_sha256(state),
        read_out=head.options(),
        crop=config.crop.spec,
        calibration=calibrator.to_json(),
        card=report,
    )
    write_delta(output, header, norms=tuned.norms, read_out=tuned.head)
    return {**report, "thresholds": list(calibrator.thresholds)}
