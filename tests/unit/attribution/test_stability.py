"""Regions hold, or not, when the crop is shifted: told by maps that are known."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.attribution.occlusion import Occlusion
from assistant.attribution.patches import PatchLens
from assistant.attribution.random_map import RandomMap
from assistant.attribution.regions import find_regions
from assistant.attribution.stability import SHIFTS, with_stability
from assistant.faces.alignment import template_points
from assistant.types import Attribution, CropSpec
from tests.planted import PlantedCueDetector

POINTS = template_points(CropSpec(size=224, scale=0.95, shift_y=-0.13))


@pytest.fixture
def crop():
    rng = np.random.default_rng(3)
    image = rng.normal(120, 12, (224, 224, 3)).clip(0, 255).astype(np.uint8)
    image[130:190, 70:154] = np.array([220, 60, 60], np.uint8)
    return image


def named(attributor, crop):
    heat = attributor.attribute(PlantedCueDetector(), crop).map
    return with_stability(
        find_regions(heat, POINTS), attributor, PlantedCueDetector(), crop, POINTS
    )


def test_a_true_map_stays_where_it_is(crop):
    mouth = next(f for f in named(PatchLens(), crop) if f.region == "mouth")
    assert mouth.stands_out
    assert mouth.stability == 1.0


def test_a_map_that_jumps_is_not_stable(crop):
    class Jumps:
        name, class_specific = "jumps", True
        count = 0

        def attribute(self, detector, crop, trace=None):
            self.count += 1
            heat = np.zeros((224, 224), np.float32)
            heat[150:170, 100:120] = 1.0
            if self.count > 2:
                heat = heat[::-1].copy()
            return Attribution(method="jumps", map=heat, grid=(16, 16))

    mouth = next(f for f in named(Jumps(), crop) if f.region == "mouth")
    assert mouth.stands_out
    assert mouth.stability == pytest.approx(1 / len(SHIFTS))


def test_methods_that_score_many_crops_are_not_repeated(crop):
    assert {f.stability for f in named(Occlusion(), crop)} == {None}
    assert all(f.stability is not None for f in named(RandomMap(), crop))


def test_nothing_to_shift():
    detector = PlantedCueDetector()
    assert (
        with_stability((), PatchLens(), detector, np.zeros((224, 224, 3), np.uint8), POINTS) == ()
    )
