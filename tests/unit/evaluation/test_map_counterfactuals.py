from __future__ import annotations

from dataclasses import replace

import numpy as np

from assistant.attribution.neutralise import NEUTRALISERS
from assistant.attribution.patches import PatchLens
from assistant.attribution.regions import region_masks
from assistant.evaluation.known_masks import KnownMask
from assistant.evaluation.map_counterfactuals import evaluate_counterfactuals, told_first
from assistant.evaluation.maps_report import told_first_table
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.types import BaseRate, CropSpec, CueFinding, CuePlace, CueReading, CuesLooked
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


class CuesThatSpeak:
    """Says of every face that its ``place`` differs, or nothing where that is empty."""

    def __init__(self, place):
        self.place = place

    def look(self, *_):
        if not self.place:
            return CuesLooked()
        rate = BaseRate(share=0.0, low=0.0, high=0.1, faces=50)
        places = tuple(CuePlace(name=n, box_xyxy=(0, 0, 9, 9)) for n in (self.place, "skin"))
        read = CueReading(cue="x", quantity="detail", value=2.0, unit="times", places=places)
        return CuesLooked(
            findings=(CueFinding(reading=read, genuine=rate, manipulated=rate, beyond=True),)
        )


def test_with_cues_what_they_speak_of_comes_first_and_without_the_cause_does():
    detector = PlantedCueDetector((10, 6, 3, 4))
    plain = sample(2, region="")
    untouched = replace(plain, mask=np.zeros_like(MOUTH), kind="untouched", name="0")
    untouched.crop[MOUTH] = 125
    samples = [sample(0), replace(sample(1), name="0"), untouched]
    told = [
        told_first(detector, FlatCalibrator(), samples, PatchLens(), cues=CuesThatSpeak(place))
        for place in ("", "mouth", "eyes")
    ]
    for found in told:
        row = found["flagged through the exchange"]
        assert (row["n"], row["of_swaps"]) == (2, 2)
        assert row["cause"] == row["map"] == row["agreed"] == [1.0, 1.0, 1.0]
        assert row["n_agreed"] == 2
    rows = [found["score raised"] for found in told]
    assert [row["cues"][0] for row in rows] == [1.0, 1.0, 0.0]
    assert [row["cues_spoke"] for row in rows] == [0, 2, 2]
    assert "| flagged | 2 of 2 | 1.00" in told_first_table(told[0])


def test_no_flagged_picture_gives_no_share():
    detector = PlantedCueDetector((10, 6, 3, 4))
    untouched = replace(sample(0, region=""), mask=np.zeros_like(MOUTH), kind="untouched")
    found = told_first(detector, FlatCalibrator(), [untouched], PatchLens())
    assert found["flagged"]["n"] == 0
    assert found["flagged"]["cause"] is None
    assert "| flagged | 0 of 0 | - |" in told_first_table(found)
