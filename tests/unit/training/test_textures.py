from __future__ import annotations

from pathlib import Path

import numpy as np

from assistant.training.field import Budget
from assistant.training.textures import anomaly_metrics, drawn_textures, measure_textures, pro
from tests.field import tiny_files


def test_a_perfect_map_reaches_one_a_random_one_chance_and_an_inverted_one_nothing():
    _, masks = drawn_textures(9, defects=True, seed=0)
    _, clean = drawn_textures(9, defects=False, seed=0)
    both = np.concatenate([masks, clean])
    truth = both.astype(np.float32)
    noise = np.random.default_rng(0).normal(size=both.shape).astype(np.float32)
    scores = truth.max((1, 2)).astype(float)
    assert pro(truth + 0.01 * noise, both) > 0.99
    assert abs(pro(noise, both) - 0.15) < 0.02  # the mean false-positive rate up to 0.3
    assert pro(-truth + 0.01 * noise, both) < 0.01
    found = anomaly_metrics(scores, truth, both)
    assert (found["image_auroc"], found["pixel_auroc"]) == (1.0, 1.0)


def test_a_small_defect_counts_as_much_as_a_large_one():
    masks = np.zeros((1, 100, 100), bool)
    masks[0, 5:10, 5:10] = True
    masks[0, 40:90, 40:90] = True
    heat = np.zeros((1, 100, 100), np.float32)
    heat[0, 40:90, 40:90] = 1.0
    heat += np.linspace(0, 0.01, 10_000, dtype=np.float32).reshape(1, 100, 100)
    assert 0.45 < pro(heat, masks) < 0.6


def test_clad_trains_on_sound_textures_alone(tmp_path: Path):
    result = measure_textures(
        tiny_files(tmp_path),
        tmp_path / "clad.safetensors",
        sound=16,
        tested=12,
        budget=Budget(epochs=10),
    )
    assert result["training"]["pictures_used"] == 16
    assert result["pixel_auroc"] > result["random"]["pixel_auroc"] + 0.05
