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
from assistant.training.reconstruction import Build

TINY = TowerLayout(image_size=42, patch_size=14, width=24, layers=3, heads=3)


@pytest.fixture
def layout() -> TowerLayout:
    return TINY


@pytest.fixture
def project(tmp_path, monkeypatch):
    """300 drawn pictures (manipulated ones have stripes), a tiny tower and a configuration."""
    monkeypatch.setitem(tower.TOWERS, "vit-s14", TINY)
    small = Build(up="nearest", halvings=1, width=4, latent=3, side=28)
    monkeypatch.setattr("assistant.training.view_data.BUILDS", (small,))
    torch.manual_seed(0)
    state = {k: torch.randn_like(v) * 0.3 for k, v in build_tower(TINY).state_dict().items()}
    save_file(state, tmp_path / "base.safetensors")
    rng = np.random.default_rng(0)
    lines = ["path,label,source,video,family,crop"]
    for i in range(240):
        fake, source = i % 2, "drawn" if i % 3 else "other"
        image = rng.integers(60, 190, (7, 7, 3)).astype(np.uint8).repeat(10, 0).repeat(10, 1)
        if fake:
            image[::2] = np.clip(image[::2].astype(int) + 50, 0, 255)
        cv2.imwrite(str(tmp_path / f"{i}.png"), image)
        family = ("whole-face-gan" if source == "other" else "face-swap") if fake else "real"
        lines.append(f"{i}.png,{fake},{source},v{i // 2},{family},1")
    (tmp_path / "m.csv").write_text("\n".join(lines))
    config = {
        "recipe": "sources",
        "manifest": "m.csv",
        "crop": {"size": 42},
        "wide": {"size": 56},
        "home": ["drawn", "other"],
        "threads": 1,
        "redraw_steps": 40,
        "patches": {"dimensions": 16, "steps": 40, "batch": 16},
        "views": {"plain": 1, "worn": 1, "laid-in": 0.3, "redrawn": 0.2, "part-out": 0.1},
        "heads": {
            "blocks": [0, 1],
            "hidden": 8,
            "evidence_hidden": [4, 4],
            "direction": 3.0,
        },
        "folds": {"one": ["drawn"], "two": ["other"]},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    return tmp_path
