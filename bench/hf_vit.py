"""Train a classifier in the hub's layout: the embedded tower as transformers' DINOv2 classifier.

    python bench/hf_vit.py --manifest data.csv --work .work --out FOLDER
    whyfake --accept-unpinned compare --manifest data.csv --weights hf-vit=FOLDER

The tower stays as it is; its head (class token and mean of the patches) is a logistic regression on
the training part of the manifest, split as `whyfake compare` splits it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from transformers import Dinov2ForImageClassification

from assistant.compose import build_finder
from assistant.compute import use_threads
from assistant.detectors.frozen import to_pixels
from assistant.detectors.plugin import FIELD_CROP
from assistant.evaluation.face_manifest import read_manifest
from assistant.settings import Settings
from assistant.training.compare import SHARES
from assistant.training.face_set import faces_of, split_rows
from assistant.vlm.llava import vision_tower
from assistant.weights import locate

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("manifest", "work", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    chosen = parser.parse_args()
    settings = Settings()
    use_threads(settings.threads)
    rows = split_rows(read_manifest(chosen.manifest), SHARES)["train"]
    faces = faces_of(
        rows, build_finder(settings), FIELD_CROP, work=chosen.work, progress=lambda *_: None
    )
    tower = vision_tower(locate("dinov2-vits14"))
    tower.config.num_labels = 2
    tower.config.id2label = {0: "Real", 1: "Fake"}
    tower.config.label2id = {"Real": 0, "Fake": 1}
    model = Dinov2ForImageClassification(tower.config).eval()
    model.dinov2.load_state_dict(tower.state_dict())
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    found = []
    with torch.inference_mode():
        for start in range(0, len(faces), 16):
            pixels = to_pixels(faces.crops[start : start + 16], 224)
            tokens = model.dinov2(pixel_values=(pixels - mean) / std).last_hidden_state
            found.append(torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], 1).numpy())
    values = np.concatenate(found)
    centre, spread = values.mean(0), values.std(0) + 1e-6
    fitted = LogisticRegression(C=0.003, max_iter=2000).fit(
        (values - centre) / spread, faces.labels
    )
    weight = fitted.coef_[0] / spread
    bias = float(fitted.intercept_[0] - weight @ centre)
    with torch.no_grad():
        model.classifier.weight.copy_(torch.from_numpy(np.stack([-weight, weight]) / 2))
        model.classifier.bias.copy_(torch.tensor([-bias / 2, bias / 2]))
    model.save_pretrained(chosen.out, safe_serialization=True)
    told = {"size": {"height": 224, "width": 224}, "image_mean": MEAN, "image_std": STD}
    (chosen.out / "preprocessor_config.json").write_text(json.dumps(told, indent=1) + "\n")
    print(f"{chosen.out}: {2 * values.shape[1] + 2} numbers fitted on {len(faces)} faces")


if __name__ == "__main__":
    main()
