"""A small training project: drawn pictures, a tiny tower, a configuration."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from assistant.detectors import tower
from assistant.detectors.tower import TowerLayout, build_tower

TINY = TowerLayout(image_size=42, patch_size=14, width=24, layers=3, heads=3)


@pytest.fixture
def layout() -> TowerLayout:
    return TINY


@pytest.fixture
def project(tmp_path, monkeypatch):
    """300 drawn pictures (manipulated ones have stripes), a tiny tower and a configuration."""
    monkeypatch.setitem(tower.TOWERS, "vit-s14", TINY)
    torch.manual_seed(0)
    state = {k: torch.randn_like(v) * 0.3 for k, v in build_tower(TINY).state_dict().items()}
    save_file(state, tmp_path / "base.safetensors")
    rng = np.random.default_rng(0)
    lines = ["path,label,source,video,family,crop"]
    for i in range(420):
        fake = i % 2
        image = rng.integers(60, 190, (6, 6, 3)).astype(np.uint8).repeat(10, 0).repeat(10, 1)
        if fake:
            image[::2] = np.clip(image[::2].astype(int) + 50, 0, 255)
        cv2.imwrite(str(tmp_path / f"{i}.png"), image)
        lines.append(f"{i}.png,{fake},drawn,v{i // 2},{'stripes' if fake else 'real'},1")
    (tmp_path / "m.csv").write_text("\n".join(lines))
    config = {
        "recipe": "read-out",
        "manifest": "m.csv",
        "crop": {"size": 42},
        "test_percent": 15,
        "calibration_percent": 40,
        "self_blended": {"drawn": 0.2},
        "self_blended_weight": 0.01,
        "read_out": {"blocks": [0, 1], "hidden": 8, "members": 2, "epochs": 12, "batch": 32},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    return tmp_path
