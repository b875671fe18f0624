"""The ``layer-norms`` recipe from manifest to delta."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from assistant.calibration.fitting import fit_calibrator
from assistant.detectors.delta_file import DeltaHeader, write_delta
from assistant.detectors.read_out import ClassTokenReadOut
from assistant.detectors.tower import Tower, tower_sha256
from assistant.evaluation.detection_metrics import auroc_by_source
from assistant.evaluation.face_manifest import read_manifest
from assistant.interfaces import FaceFinder
from assistant.training.detector_config import DetectorConfig
from assistant.training.face_cache import CropCache
from assistant.training.frozen import loaded_tower
from assistant.training.layer_norms import features_of, logits_of, tune_layer_norms
from assistant.training.splits import list_sha256
from assistant.training.tuning_faces import TuningFaces

__all__ = ["train_layer_norms"]


def train_layer_norms(
    config: DetectorConfig,
    base: Path,
    finder: FaceFinder,
    *,
    work: Path,
    output: Path,
) -> dict[str, Any]:
    """Crops, tuning, calibration, one file.

    The calibration part also decides which epoch is kept; the test part is seen once, at the end.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    rows = read_manifest(config.manifest)
    limit = min(config.limit or len(rows), len(rows))
    layout = config.layout
    state = load_file(base)
    tower = loaded_tower(state, layout)
    head = ClassTokenReadOut(
        width=layout.width, last_block=layout.layers - 1, normalise=config.tuning.normalise
    )
    cache = CropCache(work, rows, config.crop.spec)
    cache.fill(finder, limit=limit)
    faces = TuningFaces(cache, limit, config, layout)
    entry = 0
    if config.tuning.keep_tokens:
        entry = config.tuning.lowest_block
        faces.keep_tokens(copy.deepcopy(tower), entry - 1, cache.folder)
    split = {
        str(part): np.flatnonzero((faces.parts == part) & faces.usable)
        for part in np.unique(faces.parts)
    }
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if config.tuning.start == "logistic":
        start_from_regression(tower, head, faces, split["train"], entry)
    tuned = tune_layer_norms(
        tower,
        head,
        faces.pictures,
        faces.labels,
        faces.videos,
        (split["train"], split["calibration"]),
        config.tuning,
        seed=config.seed,
        entry=entry,
        checkpoint=work / f"layer-norms-{_key(config)}.pt",
        device=device,
    )
    tower.load_state_dict({**tower.state_dict(), **tuned.norms})
    head.load_state_dict(tuned.head)

    def logits(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        return logits_of(tower, head, faces.pictures, chosen, entry=entry, device=device)

    held = split["calibration"]
    calibrator = fit_calibrator(
        logits(held),
        faces.labels[held],
        groups=[faces.videos[i] for i in held],
        fitted_on={"pictures": len(held), "split": "by video"},
    )
    test = split["test"]
    report = {
        "data_sha256": list_sha256(cache.rows[:limit]),
        "pictures": limit,
        "self_blended": len(faces.origin),
        "trained_on": len(split["train"]),
        "validation_auroc": [round(v, 4) for v in tuned.validation],
        "test": _by_source(faces, test, logits(test)),
        "config": config.model_dump(mode="json", exclude={"manifest", "start"}),
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


def start_from_regression(
    tower: Tower,
    head: ClassTokenReadOut,
    faces: TuningFaces,
    rows: NDArray[np.int64],
    entry: int,
) -> None:
    """Give the head the values of a logistic regression on the untuned features.

    A head without a temperature that starts at random on L2-normalised features needs hundreds of
    steps to grow to the norm it wants.
    """
    from sklearn.linear_model import LogisticRegression

    chosen = np.random.default_rng(3).permutation(rows)[:4000]
    parts = []
    with torch.inference_mode():
        for start in range(0, len(chosen), 32):
            images = faces.pictures(chosen[start : start + 32], 0)
            parts.append(features_of(tower, head, images, entry).double().numpy())
    features = np.concatenate(parts)
    spread = float(features.std(0).mean()) + 1e-12
    fitted = LogisticRegression(C=0.05, max_iter=2000).fit(features / spread, faces.labels[chosen])
    weight = torch.from_numpy(fitted.coef_[0] / spread).float()
    bias = float(fitted.intercept_[0])
    with torch.no_grad():
        head.linear.weight.copy_(torch.stack([-0.5 * weight, 0.5 * weight]))
        head.linear.bias.copy_(torch.tensor([-0.5 * bias, 0.5 * bias]))


def _key(config: DetectorConfig) -> str:
    """Of the checkpoint: another configuration or seed has one of its own."""
    tuning = config.tuning.model_dump(mode="json")
    looks = [config.crop.model_dump(mode="json"), config.image_size]
    text = json.dumps([tuning, config.self_blended, config.seed, looks])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _by_source(
    faces: TuningFaces, rows: NDArray[np.int64], logits: NDArray[np.float64]
) -> dict[str, Any]:
    """AUROC of the test part, all together and by source."""
    sources = faces.sources[rows]
    found = auroc_by_source(faces.labels[rows], logits, sources, "all")
    counts = {"all": len(rows)} | {s: int((sources == s).sum()) for s in found if s != "all"}
    return {source: {"auroc": value, "n": counts[source]} for source, value in found.items()}
