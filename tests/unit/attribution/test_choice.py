"""Which map a detector gets, by what it offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import registry
from assistant.attribution.choice import best_map
from assistant.fakes import BrightnessDetector
from tests.field import crops, makers


class ScoresAlone:
    """Offers a score and no inside."""

    name = "scores-alone"
    crop_spec = BrightnessDetector.crop_spec
    weights_sha256 = "0" * 64

    def logits(self, given: Any) -> Any:
        return BrightnessDetector().logits(given)

    def provenance(self) -> dict[str, str]:
        return {}


@pytest.mark.parametrize(
    ("offers", "name"),
    [
        ({}, "patch-evidence"),
        ({"scores_patches": False}, "patch-lens"),
        ({"has_maps": True}, "grad-cam"),
    ],
)
def test_what_a_detector_offers_decides_and_its_name_does_not(
    offers: dict[str, bool], name: str
) -> None:
    made = type("Any", (BrightnessDetector,), offers)()
    assert best_map(made) == name
    assert best_map(ScoresAlone()) == "occlusion"


def test_mesonet_has_a_grad_cam_of_its_own_score(tmp_path: Path) -> None:
    detector = makers()["mesonet"](tmp_path)
    assert best_map(detector) == "grad-cam"
    one, other = crops(2, side=256)
    assert detector.trace(one).logit == pytest.approx(float(detector.logits([one])[0]), abs=1e-4)
    attributor = registry.load("attributors", "grad-cam")()
    maps = [attributor.attribute(detector, crop).map for crop in (one, other)]
    assert maps[0].shape == one.shape[:2]
    assert np.abs(maps[0] - maps[1]).max() > 0.05
