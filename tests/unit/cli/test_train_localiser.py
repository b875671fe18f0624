"""`whyfake train blend-localiser` on drawn faces and tokens that are plain patch colours."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from assistant import compose
from assistant.attribution.blend_localiser import BlendLocaliser
from assistant.cli.main import main
from assistant.detectors.planted import PlantedCueDetector
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.types import CropSpec, Detection

POINTS = template_points(CropSpec(size=224, scale=0.95, shift_y=-0.13)).astype(np.float32)


class Tower(PlantedCueDetector):
    def trace(self, crop, *, layers=None):
        cells = crop.reshape(16, 14, 16, 14, 3).astype(np.float32) / 255
        tokens = np.concatenate([np.zeros((1, 3), np.float32), cells.mean((1, 3)).reshape(256, 3)])
        return dataclasses.replace(super().trace(crop), tokens=np.repeat(tokens[None], 9, axis=0))

    def provenance(self):
        return {"base_sha256": "c" * 64}


class ScoreOnly:
    name = "score-only"
    crop_spec = PlantedCueDetector.crop_spec
    weights_sha256 = "0" * 64


class WholePicture:
    name = "whole"

    def find(self, image):
        return (Detection(box_xyxy=(0, 0, 224, 224), landmarks=POINTS, confidence=1.0),)


@pytest.fixture
def manifest(tmp_path):
    rng = np.random.default_rng(0)
    for i, level in enumerate((80, 120, 170)):
        crop = rng.normal(level, 8, (224, 224, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(crop).save(tmp_path / f"{i}.png")
    path = tmp_path / "faces.txt"
    path.write_text("0.png\n1.png\n2.png\n")
    return path


def train(monkeypatch, detector, manifest, out):
    monkeypatch.setattr(compose, "build_detector", lambda _s: (detector, FlatCalibrator()))
    monkeypatch.setattr(compose, "build_finder", lambda _s: WholePicture())
    words = ["train", "blend-localiser", "--manifest", manifest, "--samples", 8, "--epochs", 1]
    return CliRunner().invoke(main, [str(w) for w in [*words, "--out", out]])


def test_trains_and_the_map_reads_it(monkeypatch, manifest, tmp_path):
    out = tmp_path / "net.safetensors"
    result = train(monkeypatch, Tower(), manifest, out)
    assert result.exit_code == 0, result.output
    assert "trained on 8 pictures made of 3 faces" in result.stdout
    crop = np.full((224, 224, 3), 120, np.uint8)
    assert BlendLocaliser(out).attribute(Tower(), crop).map.shape == (224, 224)


def test_a_detector_that_shows_nothing(monkeypatch, manifest, tmp_path):
    result = train(monkeypatch, ScoreOnly(), manifest, tmp_path / "net.safetensors")
    assert result.exit_code == 1
    assert "shows no tokens" in result.output
    assert not (tmp_path / "net.safetensors").exists()
