"""Every attributor keeps the same contract; those that claim a reason must find a planted one."""

from __future__ import annotations

import dataclasses
from importlib import import_module

import numpy as np
import pytest

from assistant.attribution.regions import find_regions
from assistant.errors import InferenceError
from assistant.interfaces import Attributor
from assistant.registry import BUILT_IN
from assistant.types import Attribution
from tests.planted import PlantedCueDetector

ATTRIBUTORS = BUILT_IN["attributors"]
BASELINES = {"random", "attention-rollout", "raw-attention"}
NEED_TRACE = {
    "legrad",
    "gradient-attention",
    "attention-rollout",
    "raw-attention",
    "grad-cam",
    "patch-lens",
    "patch-evidence",
    "joint-evidence",
}
TRACED = ("attention", "attention_gradient", "tokens", "token_gradient", "patch_logits")
POINTS = np.array([[74, 73], [150, 73], [112, 116], [81, 158], [143, 158]], float)


def make(name: str) -> Attributor:
    module, _, attr = ATTRIBUTORS[name].partition(":")
    return getattr(import_module(module), attr)()


class ScoreOnly:
    """A detector without insight: scores and nothing else."""

    name = "score-only"
    crop_spec = PlantedCueDetector.crop_spec
    weights_sha256 = "0" * 64

    def __init__(self) -> None:
        self._inner = PlantedCueDetector()

    def logits(self, crops):
        return self._inner.logits(crops)

    def provenance(self):
        return {}


class Hollow(PlantedCueDetector):
    """A detector that can be traced but keeps nothing but the score."""

    name = "hollow"

    def trace(self, crop, *, layers=None):
        full = super().trace(crop)
        return dataclasses.replace(full, **dict.fromkeys(TRACED))


class Broken(PlantedCueDetector):
    """A detector whose inside is NaN."""

    name = "broken"

    def logits(self, crops):
        return np.full(len(crops), np.nan)

    def trace(self, crop, *, layers=None):
        full = super().trace(crop)
        return dataclasses.replace(
            full, **{k: np.full_like(getattr(full, k), np.nan) for k in TRACED}
        )


@pytest.fixture(scope="module")
def crop():
    """A grey, noisy crop whose planted cells are red."""
    rng = np.random.default_rng(3)
    image = rng.normal(120, 12, (224, 224, 3)).clip(0, 255).astype(np.uint8)
    cue = np.kron(PlantedCueDetector().cue_mask, np.ones((14, 14), bool))
    image[cue] = np.array([220, 60, 60], np.uint8)
    return image


@pytest.fixture(params=sorted(ATTRIBUTORS))
def attributor(request):
    return make(request.param)


def test_protocol_and_name(attributor):
    assert isinstance(attributor, Attributor)
    assert ATTRIBUTORS[attributor.name].rpartition(":")[2] == type(attributor).__name__
    assert attributor.class_specific is (attributor.name not in BASELINES)


@pytest.mark.parametrize("size", [224, 112])
def test_map_has_the_crops_size_and_tells_its_grid(attributor, crop, size):
    crop = np.ascontiguousarray(crop[:: 224 // size, :: 224 // size])
    result = attributor.attribute(PlantedCueDetector(), crop)
    assert isinstance(result, Attribution)
    assert result.map.shape == (size, size)
    assert result.map.dtype == np.float32
    assert result.map.min() >= 0.0
    assert result.map.max() <= 1.0
    assert result.map.max() > 0.5
    assert all(2 <= cells <= 16 for cells in result.grid)
    assert result.method == attributor.name
    assert result.class_specific is attributor.class_specific


def test_deterministic_and_input_untouched(attributor, crop):
    before = crop.copy()
    first = attributor.attribute(PlantedCueDetector(), crop)
    second = attributor.attribute(PlantedCueDetector(), crop)
    np.testing.assert_array_equal(first.map, second.map)
    np.testing.assert_array_equal(crop, before)


def test_a_given_trace_makes_the_same_map(attributor, crop):
    detector = PlantedCueDetector()
    alone = attributor.attribute(detector, crop)
    given = attributor.attribute(detector, crop, detector.trace(crop))
    np.testing.assert_allclose(alone.map, given.map, atol=1e-6)


def test_a_given_trace_saves_the_second_pass(crop):
    detector = PlantedCueDetector()
    trace = detector.trace(crop)
    for name in NEED_TRACE:
        assert make(name).attribute(ScoreOnly(), crop, trace).map.max() == 1.0


@pytest.mark.parametrize("name", sorted(set(ATTRIBUTORS) - {"random"}))
def test_finds_the_planted_reason(name, crop):
    detector = PlantedCueDetector()
    cue = np.kron(detector.cue_mask, np.ones((14, 14), bool))
    heat = make(name).attribute(detector, crop).map
    assert cue[np.unravel_index(heat.argmax(), heat.shape)]
    assert heat[cue].mean() > 3 * heat[~cue].mean()


@pytest.mark.parametrize("name", sorted(set(ATTRIBUTORS) - {"random"}))
def test_removing_what_it_points_to_costs_more_than_random(name, crop):
    """Deletion with a known truth: the top cells of the map carry the score."""
    detector = PlantedCueDetector()

    def after(heat):
        top = np.sort(heat.ravel())[-2400]
        hidden = crop.copy()
        hidden[heat >= top] = 120
        return float(detector.logits([hidden])[0])

    mine = after(make(name).attribute(detector, crop).map)
    control = after(make("random").attribute(detector, crop).map)
    assert mine < control - 2.0


@pytest.mark.parametrize("name", sorted(set(ATTRIBUTORS) - {"random"}))
def test_follows_the_weights(name, crop):
    """The sanity check: another detector, another map."""
    both = crop.copy()
    other = PlantedCueDetector(cue=(2, 10, 3, 4))
    both[np.kron(other.cue_mask, np.ones((14, 14), bool))] = np.array([220, 60, 60], np.uint8)
    attributor = make(name)
    a = attributor.attribute(PlantedCueDetector(), both).map
    b = attributor.attribute(other, both).map
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] < 0.3


@pytest.mark.parametrize("name", sorted(set(ATTRIBUTORS) - BASELINES - {"legrad"}))
def test_nothing_speaks_for_manipulated_when_the_cue_is_gone(name):
    """An empty map is a result, and its region shares are zero rather than noise."""
    flat = np.full((224, 224, 3), 120, np.uint8)
    result = make(name).attribute(PlantedCueDetector(), flat)
    assert result.map.max() == 0.0
    assert all(finding.share == 0.0 for finding in find_regions(result.map, POINTS))


@pytest.mark.parametrize("name", sorted(NEED_TRACE))
@pytest.mark.parametrize("detector", [ScoreOnly(), Hollow()], ids=["score-only", "hollow"])
def test_a_detector_without_gradients_is_a_typed_error(name, detector, crop):
    with pytest.raises(InferenceError) as caught:
        make(name).attribute(detector, crop)
    assert caught.value.code == "no-gradients"
    assert "occlusion" in caught.value.hint
    assert detector.name in caught.value.user_message


@pytest.mark.parametrize("name", ["occlusion", "rise", "random"])
def test_score_only_detectors_are_served(name, crop):
    assert make(name).attribute(ScoreOnly(), crop).map.max() > 0.5


@pytest.mark.parametrize("name", sorted(set(ATTRIBUTORS) - {"random"}))
def test_nan_is_a_typed_error(name, crop):
    with pytest.raises(InferenceError) as caught:
        make(name).attribute(Broken(), crop)
    assert caught.value.code == "map-not-finite"


def test_greyscale_faces_are_mapped(attributor):
    rng = np.random.default_rng(0)
    grey = np.repeat(rng.integers(0, 255, (224, 224, 1), dtype=np.uint8), 3, axis=2)
    result = attributor.attribute(PlantedCueDetector(), grey)
    assert np.isfinite(result.map).all()
