"""Train a classifier in the hub's layout: the embedded tower as transformers' DINOv2 classifier.

    python bench/hf_vit.py --manifest data.csv --work .work --out FOLDER
    whyfake --accept-unpinned compare --manifest data.csv --work .work --weights hf-vit=FOLDER

The tower stays as it is, up to the last block that the CLIP plugins read; the head reads the class
token after it, and is a logistic regression on the training part of the manifest, split as
`whyfake compare` splits it. The features are those that `compare` keeps for these plugins.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional
from transformers import Dinov2Config, Dinov2ForImageClassification

from assistant.compose import build_finder
from assistant.compute import use_threads
from assistant.detectors.clip_pair import ClipOptions, PairHead, load_pair
from assistant.detectors.frozen import FeatureStore
from assistant.detectors.plugin import FIELD_CROP, Files
from assistant.evaluation.face_manifest import read_manifest
from assistant.settings import Settings
from assistant.training.compare import SHARES
from assistant.training.face_set import faces_of, split_rows
from assistant.vlm.llava import vision_tower


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("manifest", "work", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    chosen = parser.parse_args()
    settings = Settings()
    use_threads(settings.threads)
    files = Files.of(settings)
    rows = split_rows(read_manifest(chosen.manifest), SHARES)["train"]
    faces = faces_of(rows, build_finder(settings), FIELD_CROP, work=chosen.work)
    pair = load_pair(ClipOptions(), files)
    found = FeatureStore(chosen.work).of(PairHead(pair), faces.crops) * pair.spread + pair.centre
    width = pair.layout.width
    last = found[:, -3 * width : -2 * width]  # the class token after the last block
    tower = vision_tower(files.locate("dinov2-vits14"))
    tower.encoder.layer = tower.encoder.layer[: pair.depth]
    told = tower.config.to_dict() | {"num_hidden_layers": pair.depth}
    told |= {"id2label": {0: "Real", 1: "Fake"}, "label2id": {"Real": 0, "Fake": 1}}
    stages = ("stage_names", "out_features", "out_indices")  # of the whole tower
    config = Dinov2Config.from_dict({k: v for k, v in told.items() if k not in stages})
    norm = tower.layernorm
    with torch.no_grad():
        values = functional.layer_norm(last, (width,), norm.weight, norm.bias, norm.eps).numpy()
    centre, spread = values.mean(0), values.std(0) + 1e-6
    fitted = LogisticRegression(C=0.003, max_iter=2000).fit(
        (values - centre) / spread, faces.labels
    )
    weight = fitted.coef_[0] / spread
    bias = float(fitted.intercept_[0] - weight @ centre)
    model = Dinov2ForImageClassification(config).eval()
    model.dinov2.load_state_dict(tower.state_dict())
    with torch.no_grad():
        model.classifier.weight.zero_()  # the mean of the patches, its other half, is not read
        model.classifier.weight[:, :width] = torch.from_numpy(np.stack([-weight, weight]) / 2)
        model.classifier.bias.copy_(torch.tensor([-bias / 2, bias / 2]))
    model.save_pretrained(chosen.out, safe_serialization=True)
    mean, std = (v.flatten().tolist() for v in (pair.mean, pair.std))
    told = {"size": {"height": 224, "width": 224}, "image_mean": mean, "image_std": std}
    (chosen.out / "preprocessor_config.json").write_text(json.dumps(told, indent=1) + "\n")
    print(f"{chosen.out}: {width + 1} numbers fitted on {len(faces)} faces")


if __name__ == "__main__":
    main()
