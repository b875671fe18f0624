"""The commands over pictures, with a planted detector that takes every picture for a crop."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from assistant import compose
from assistant.cli.main import main
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.types import CropSpec, Detection
from tests.planted import PlantedCueDetector

_SPEC = CropSpec(size=224, scale=0.95, shift_y=-0.13)


class WholePicture:
    """Takes every picture but a black one for an aligned crop."""

    name = "whole"

    def find(self, image):
        if not image.any():
            return ()
        points = template_points(_SPEC).astype(np.float32)
        return (Detection(box_xyxy=(0, 0, 224, 224), landmarks=points, confidence=1.0),)

    def provenance(self):
        return {}


@pytest.fixture
def run(monkeypatch):
    """Runs a command on whole pictures and a detector with a planted cue."""
    detector = PlantedCueDetector((10, 6, 3, 4))
    monkeypatch.setattr(compose, "build_detector", lambda _s: (detector, FlatCalibrator()))
    monkeypatch.setattr(compose, "build_finder", lambda _s: WholePicture())
    return lambda *words: CliRunner().invoke(main, [str(w) for w in words])
