from __future__ import annotations

import numpy as np

from assistant.attribution.neutralise import NEUTRALISERS
from assistant.attribution.regions import region_masks
from assistant.evaluation.known_masks import KnownMask
from assistant.evaluation.map_counterfactuals import evaluate_counterfactuals
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.types import CropSpec
from tests.planted import PlantedCueDetector

POINTS = template_points(CropSpec(size=224, scale=0.95, shift_y=-0.13))
MOUTH = region_masks(POINTS, 224)["mouth"]


def sample(seed, region="mouth"):
    rng = np.random.default_rng(seed)
    crop = rng.normal(125, 10, (224, 224, 3)).clip(0, 255).astype(np.uint8)
    crop[MOUTH] = np.array([230, 70, 60], np.uint8)
    return KnownMask(
        crop=crop, crop_landmarks=POINTS, mask=MOUTH, kind="mouth", region=region, name=str(seed)
    )


def test_the_true_region_carries_more_than_chance():
    found = evaluate_counterfactuals(
        PlantedCueDetector((10, 6, 3, 4)), FlatCalibrator(), [sample(0), sample(1)]
    )
    assert set(found) == set(NEUTRALISERS)
    for method in ("inpaint", "mean"):
        assert found[method]["n"] == 2
        assert found[method]["change"] < -3
        assert found[method]["difference"] > 2
        assert found[method]["beyond"] == 1.0
        assert found[method]["ratio"] > 2


def test_samples_without_one_region_are_left_out():
    found = evaluate_counterfactuals(PlantedCueDetector(), FlatCalibrator(), [sample(0, region="")])
    assert all(entry["n"] == 0 and entry["ratio"] is None for entry in found.values())
