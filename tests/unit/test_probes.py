"""Which parts of a face are taken out: those the map points to, and the one the score rests on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from assistant.attribution.regions import region_masks
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.probes import region_facts
from assistant.types import CropSpec, RegionFinding, Verdict
from tests.planted import PlantedCueDetector

SIZE = 224
POINTS = template_points(CropSpec(size=SIZE, scale=0.95, shift_y=-0.13))
MOUTH_CUE = (10, 6, 3, 4)


@pytest.fixture(scope="module")
def crop():
    rng = np.random.default_rng(1)
    image = rng.normal(130, 10, (SIZE, SIZE, 3)).clip(0, 255).astype(np.uint8)
    image[region_masks(POINTS, SIZE)["mouth"]] = np.array([230, 90, 80], np.uint8)
    return image


def facts(crop, verdict, standing=()):
    regions = tuple(
        RegionFinding(
            region=name,
            share=0.1,
            area=float(mask.mean()),
            lift=1.0,
            stands_out=name in standing,
        )
        for name, mask in region_masks(POINTS, SIZE).items()
    )
    face = SimpleNamespace(
        regions=regions,
        face=SimpleNamespace(crop=crop, crop_landmarks=POINTS),
        score=SimpleNamespace(verdict=verdict),
    )
    detector = PlantedCueDetector(MOUTH_CUE)
    return region_facts(face, detector, FlatCalibrator())


def test_the_part_that_carries_the_score_is_taken_out_though_the_map_points_elsewhere(crop):
    found = facts(crop, Verdict.LIKELY_MANIPULATED, standing=("left eye",))
    told = {f.values()["region"]: f.values() for f in found if "region" in f.values()}
    assert set(told) == {"left eye", "mouth"}
    assert told["mouth"]["effect"] == "lowers"
    assert not told["mouth"]["stands_out"]
    assert told["left eye"]["effect"] == "hardly"


def test_of_a_face_that_is_no_sign_only_what_the_map_points_to_is_taken_out(crop):
    found = facts(crop, Verdict.NO_SIGN, standing=("left eye",))
    assert {f.values()["region"] for f in found if "region" in f.values()} == {"left eye"}
