"""A published file of another size is refused before anything is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from assistant.detectors.published import write_full_delta
from assistant.detectors.tower import TOWERS, build_tower
from assistant.errors import WeightsError


@pytest.mark.parametrize("width", [1024, 1280])
def test_weights_of_another_size_are_refused(width: int, tmp_path: Path) -> None:
    state = {
        "feature_extractor.vision_model.pre_layrnorm.weight": torch.ones(width),
        "feature_extractor.vision_model.pre_layrnorm.bias": torch.zeros(width),
        "model.linear.weight": torch.zeros(2, width),
        "model.linear.bias": torch.zeros(2),
    }
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="not a CLIP ViT-L/14") as caught:
        write_full_delta(tmp_path / "model.safetensors", tmp_path / "delta.safetensors")
    assert "weights list" in caught.value.hint
    assert not (tmp_path / "delta.safetensors").exists()


def test_the_full_tower_has_50_tuned_norms_and_the_published_count_of_numbers() -> None:
    with torch.device("meta"):
        tower = build_tower(TOWERS["vit-l14"])
    norms = [m for m in tower.modules() if isinstance(m, torch.nn.LayerNorm)]
    assert len(norms) == 50
    tuned = sum(p.numel() for m in norms for p in m.parameters())
    assert tuned + 2 * 1024 + 2 == 104_450
