"""Which parts of a face are taken out: those the map points to, and the one the score rests on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from assistant.attribution.regions import region_masks
from assistant.detectors.lifted import LiftedDetector
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.probes import fragility_facts, region_facts
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


def facts(crop, verdict, standing=(), lift=None):
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
    if lift is not None:
        detector = LiftedDetector(detector, Around(lift), np.full((90, 90, 3), 128, np.uint8))
    return region_facts(face, detector, FlatCalibrator())


class Around:
    """Surroundings that add the same whatever they look like."""

    def __init__(self, value):
        self.value = value

    def lift(self, picture):
        return self.value


def test_the_part_that_carries_the_score_is_taken_out_though_the_map_points_elsewhere(crop):
    found = facts(crop, Verdict.LIKELY_MANIPULATED, standing=("left eye",))
    told = {f.values()["region"]: f.values() for f in found if "region" in f.values()}
    assert set(told) == {"left eye", "mouth"}
    assert told["mouth"]["effect"] == "lowers"
    assert not told["mouth"]["stands_out"]
    assert told["left eye"]["effect"] == "hardly"


def test_of_a_face_that_is_likely_real_only_what_the_map_points_to_is_taken_out(crop):
    found = facts(crop, Verdict.LIKELY_REAL, standing=("left eye",))
    assert {f.values()["region"] for f in found if "region" in f.values()} == {"left eye"}


def test_what_the_surroundings_add_comes_first_where_it_matters(crop):
    found = facts(crop, Verdict.LIKELY_MANIPULATED, standing=("left eye",), lift=3.0)
    first, others = found[0], found[1:]
    assert (first.values()["region"], first.values()["method"]) == ("background", "left-out")
    assert first.values()["before"] - first.values()["after"] >= 0.05
    assert first.values()["control_n"] == 0
    assert [fact.id for fact in found] == [f"C{n}" for n in range(1, len(found) + 1)]
    assert all(fact.values().get("region") != "background" for fact in others)
    without = facts(crop, Verdict.LIKELY_MANIPULATED, standing=("left eye",), lift=0.0)
    assert all(fact.values().get("region") != "background" for fact in without)


def test_changes_of_the_file_change_the_surroundings_too(crop):
    face = SimpleNamespace(face=SimpleNamespace(crop=crop, crop_landmarks=POINTS))
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3)).astype(np.uint8)

    class OnlyAsItIs(Around):
        def lift(self, picture):
            return self.value if np.array_equal(picture, noise) else 0.0

    plain = PlantedCueDetector(MOUTH_CUE)
    lifted = LiftedDetector(plain, OnlyAsItIs(4.0), noise)
    before = fragility_facts(face, plain, FlatCalibrator())
    after = fragility_facts(face, lifted, FlatCalibrator())
    for one, two in zip(before[1:], after[1:], strict=True):
        assert two.values()["probability"] == pytest.approx(one.values()["probability"], abs=1e-6)
