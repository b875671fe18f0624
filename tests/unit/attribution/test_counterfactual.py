from __future__ import annotations

import numpy as np
import pytest

from assistant.attribution.counterfactual import Counterfactual, probe, region_effects
from assistant.attribution.neutralise import NEUTRALISERS, VARIATIONS, neutralise, random_patch
from assistant.attribution.regions import region_masks
from assistant.errors import InferenceError
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.types import REGIONS, CropSpec, Verdict
from tests.planted import PlantedCueDetector

SIZE = 224
POINTS = template_points(CropSpec(size=SIZE, scale=0.95, shift_y=-0.13))
MASKS = region_masks(POINTS, SIZE)
MOUTH_CUE = (10, 6, 3, 4)  # patches that lie within the mouth


class Counting(PlantedCueDetector):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.calls = []

    def logits(self, crops):
        self.calls.append(len(crops))
        return super().logits(crops)


@pytest.fixture(scope="module")
def crop():
    """A grey, noisy face whose mouth is red: the planted reason."""
    rng = np.random.default_rng(1)
    image = rng.normal(130, 10, (SIZE, SIZE, 3)).clip(0, 255).astype(np.uint8)
    image[MASKS["mouth"]] = np.array([230, 90, 80], np.uint8)
    return image


@pytest.fixture(scope="module")
def card(crop):
    return probe(PlantedCueDetector(MOUTH_CUE), FlatCalibrator(), crop, POINTS)


def test_the_true_region_comes_first_and_matters(card):
    first = card.counterfactuals[0]
    assert first.region == "mouth"
    assert first.matters
    assert first.change < -0.5
    assert abs(first.change) > 2 * abs(first.control_mean)
    assert first.verdict_after is not card.verdict


def test_one_batch_tells_which_part_carries_the_score(crop):
    detector = Counting(MOUTH_CUE)
    effects = region_effects(detector, crop, POINTS)
    assert len(detector.calls) == 1
    assert set(effects) == set(REGIONS) - {"background"}
    assert min(effects, key=lambda name: effects[name]) == "mouth"
    assert region_effects(detector, crop, np.full((5, 2), 80.0)) == {}


def test_other_regions_do_not_matter(card):
    assert {c.region for c in card.counterfactuals} == set(REGIONS) - {"background"}
    assert [c.region for c in card.counterfactuals if c.matters] == ["mouth"]


def test_the_minimal_set_is_the_mouth_alone(card):
    assert card.minimal.regions == ("mouth",)
    assert card.minimal.verdict_after is not Verdict.LIKELY_MANIPULATED


def test_every_everyday_change_is_scored(card, crop):
    assert list(card.after_changes) == list(VARIATIONS)
    after = PlantedCueDetector(MOUTH_CUE).logits([VARIATIONS["half size"](crop)])[0]
    assert card.after_changes["half size"] == FlatCalibrator().calibrate(float(after))


def test_the_card_is_batched_and_small(crop):
    detector = Counting(MOUTH_CUE)
    card = probe(detector, FlatCalibrator(), crop, POINTS)
    assert len(detector.calls) <= 2
    assert sum(detector.calls) == card.scored <= 40


@pytest.mark.parametrize("method", sorted(NEUTRALISERS))
def test_every_method_takes_the_reason_away_but_where_it_keeps_the_cue(method, crop):
    """The mirror of a mouth is a mouth, and a blur keeps the colour, which is this cue."""
    detector = PlantedCueDetector(MOUTH_CUE)
    before = detector.logits([crop])[0]
    face = ~MASKS["background"]
    after = detector.logits([neutralise(crop, MASKS["mouth"], method, face=face)])[0]
    kept = method in {"mirror", "blur"}
    assert (after > before - 2.0) == kept
    assert (after < before - 3.0) != kept


def test_mirror_swaps_the_sides(crop):
    marked = crop.copy()
    marked[MASKS["left eye"]] = np.array([255, 0, 0], np.uint8)
    swapped = neutralise(marked, MASKS["left eye"], "mirror", face=~MASKS["background"])
    y, x = POINTS[0].round().astype(int)[::-1]
    assert marked[y, x, 0] == 255
    assert swapped[y, x, 0] < 180


@pytest.mark.parametrize("method", sorted(NEUTRALISERS))
def test_only_the_region_changes(method, crop):
    changed = neutralise(crop, MASKS["left eye"], method)
    assert changed.dtype == np.uint8
    assert changed.shape == crop.shape
    np.testing.assert_array_equal(changed[150:], crop[150:])
    np.testing.assert_array_equal(changed[:, 140:], crop[:, 140:])


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (np.zeros((SIZE, SIZE), bool), "empty-mask"),
        (np.ones((SIZE, SIZE), bool), "whole-mask"),
        (np.ones((10, 10), bool), "mask-shape"),
    ],
)
def test_a_mask_of_nothing_or_everything_is_a_typed_error(mask, code, crop):
    with pytest.raises(InferenceError) as caught:
        neutralise(crop, mask)
    assert caught.value.code == code


@pytest.mark.parametrize("area", [0.01, 0.05, 0.3])
def test_random_patches_are_equally_large(area):
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert random_patch((SIZE, SIZE), area, rng).mean() == pytest.approx(area, abs=1e-4)


def test_a_face_without_parts_still_has_its_fragility(crop):
    card = probe(PlantedCueDetector(MOUTH_CUE), FlatCalibrator(), crop, np.zeros((5, 2)))
    assert card.counterfactuals == ()
    assert card.minimal.regions == ()
    assert len(card.after_changes) == len(VARIATIONS)


def test_what_lies_outside_the_crop_is_not_taken_out(crop):
    card = probe(PlantedCueDetector(MOUTH_CUE), FlatCalibrator(), crop, POINTS - [130, 0])
    assert "left eye" not in {c.region for c in card.counterfactuals}
    assert "right eye" in {c.region for c in card.counterfactuals}


def test_only_what_is_asked_for_is_scored(crop):
    detector = Counting(MOUTH_CUE)
    card = probe(
        detector, FlatCalibrator(), crop, POINTS, regions=["nose"], controls=2, variations=[]
    )
    assert [c.region for c in card.counterfactuals] == ["nose"]
    assert card.after_changes == {}
    assert detector.calls[0] == 4
    only_fragility = probe(detector, FlatCalibrator(), crop, POINTS, regions=[])
    assert only_fragility.counterfactuals == ()
    assert len(only_fragility.after_changes) == len(VARIATIONS)


@pytest.mark.parametrize(
    "wrong", [{"regions": ["ear"]}, {"variations": ["sepia"]}, {"controls": 0}]
)
def test_unknown_wishes_are_refused(wrong, crop):
    with pytest.raises(ValueError, match=r"ear|sepia|control"):
        probe(PlantedCueDetector(), FlatCalibrator(), crop, POINTS, **wrong)


def test_scores_that_are_not_finite_are_a_typed_error(crop):
    class Nan(PlantedCueDetector):
        def logits(self, crops):
            return np.full(len(crops), np.nan)

    with pytest.raises(InferenceError) as caught:
        probe(Nan(), FlatCalibrator(), crop, POINTS)
    assert caught.value.code == "score-not-finite"


def test_where_nothing_changes_the_verdict_the_minimal_set_is_empty():
    flat = np.full((SIZE, SIZE, 3), 128, np.uint8)
    card = probe(PlantedCueDetector(MOUTH_CUE), FlatCalibrator(), flat, POINTS)
    assert card.verdict is Verdict.NO_SIGN
    assert card.minimal.regions == ()
    assert card.minimal.verdict_after is card.verdict


def test_two_regions_together_make_a_minimal_set():
    """A cue that spans both eyes: neither alone changes the verdict, both do."""
    image = np.full((SIZE, SIZE, 3), 120, np.uint8)
    for name in ("left eye", "right eye"):
        image[MASKS[name]] = np.array([255, 0, 0], np.uint8)
    detector = PlantedCueDetector((4, 4, 2, 8), gain=30.0)
    card = probe(detector, FlatCalibrator(), image, POINTS, variations=[])
    assert card.verdict is Verdict.LIKELY_MANIPULATED
    assert set(card.minimal.regions) == {"left eye", "right eye"}


@pytest.mark.parametrize(
    ("after", "mean", "std", "expected"),
    [
        (0.5, 0.0, 0.01, True),
        (0.88, 0.0, 0.0, False),  # too little
        (0.5, -0.4, 0.1, False),  # random patches do the same
        (0.7, 0.3, 0.05, False),  # random patches do more, the other way
    ],
)
def test_what_matters(after, mean, std, expected):
    item = Counterfactual(
        region="mouth",
        method="blur",
        area=0.05,
        probability_before=0.9,
        probability_after=after,
        logit_change=-1.0,
        verdict_after=Verdict.UNCERTAIN,
        control_mean=mean,
        control_std=std,
        control_logit_mean=0.0,
        control_n=4,
    )
    assert item.matters is expected
