from __future__ import annotations

import numpy as np
import pytest

from assistant.evaluation import map_metrics as figures

RNG = np.random.default_rng(0)
MASK = np.zeros((32, 32), bool)
MASK[8:16, 8:20] = True


@pytest.mark.parametrize(
    ("heat", "expected"),
    [
        (MASK.astype(float), 1.0),
        ((~MASK).astype(float), 0.0),
        (np.zeros((32, 32)), 0.0),
        (np.ones((32, 32)), 0.0),
    ],
    ids=["right", "wrong", "empty", "flat"],
)
def test_pointing(heat, expected):
    assert figures.pointing(heat, MASK) == expected


def test_pointing_shares_ties():
    heat = np.zeros((32, 32))
    heat[8, 8] = heat[0, 0] = 1.0
    assert figures.pointing(heat, MASK) == 0.5


def test_iou_takes_as_many_pixels_as_the_mask_has():
    assert figures.iou(MASK.astype(float) + 0.1 * RNG.random((32, 32)), MASK) == 1.0
    half = np.zeros((32, 32))
    half[8:12, 8:20] = 2.0  # half of the mask
    half[20:24, 8:20] = 1.0  # as much outside
    assert figures.iou(half, MASK) == pytest.approx(48 / 144)
    assert figures.iou(np.zeros((32, 32)), MASK) == 0.0
    assert figures.iou(half, np.zeros((32, 32), bool)) == 0.0


def test_auprc_counts_ties_as_one_step():
    mask = np.array([[True, False], [False, True]])
    # One hit first, then a hit and a miss that are tied: 1/2 * 1 + 1/2 * 2/3.
    assert figures.auprc(np.array([[3.0, 2.0], [1.0, 2.0]]), mask) == pytest.approx(5 / 6)
    assert figures.auprc(np.ones((2, 2)), np.zeros((2, 2), bool)) == 0.0


def test_auprc_of_chance_is_the_masks_share():
    big = np.zeros((224, 224), bool)
    big[50:120, 60:150] = True
    assert figures.auprc(RNG.random(big.shape), big) == pytest.approx(big.mean(), abs=0.02)


def test_entropy():
    assert figures.entropy(np.ones((32, 32))) == pytest.approx(1.0)
    assert figures.entropy(np.zeros((32, 32))) == 1.0
    point = np.zeros((32, 32))
    point[0, 0] = 1.0
    assert figures.entropy(point) == pytest.approx(0.0)


def test_average_pool_keeps_the_mean():
    heat = RNG.random((224, 224))
    assert figures.average_pool(heat, 16).mean() == pytest.approx(heat.mean())
    assert figures.average_pool(heat, 16)[0, 0] == pytest.approx(heat[:14, :14].mean())


def test_spearman():
    a = RNG.random((8, 8))
    assert figures.spearman(a, np.exp(a)) == pytest.approx(1.0)
    assert figures.spearman(a, -a) == pytest.approx(-1.0)
    assert figures.spearman(a, np.zeros((8, 8))) == 0.0


def test_trapezoid_of_a_constant_is_the_constant():
    assert figures.trapezoid((0.0, 0.2, 1.0), np.array([3.0, 3.0, 3.0])) == pytest.approx(3.0)


def test_road_fills_a_hole_from_its_rim():
    """On a linear ramp the imputation is the ramp itself: nothing can be told of the hole."""
    ramp = np.repeat(np.linspace(40, 200, 64)[None].repeat(64, 0)[..., None], 3, axis=2)
    heat = np.zeros((64, 64))
    heat[24:40, 24:40] = 1.0
    filled = figures.road(ramp.astype(np.uint8), heat, share=16 / 256, rng=np.random.default_rng(0))
    assert np.abs(filled.astype(float) - ramp).mean() < 2.0
    outside = heat == 0
    assert (filled[outside] == ramp.astype(np.uint8)[outside]).all()


def test_road_of_everything_is_the_mean():
    crop = RNG.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    filled = figures.road(crop, RNG.random((32, 32)), share=1.0, rng=RNG)
    assert np.abs(filled.astype(float).mean((0, 1)) - crop.mean((0, 1))).max() < 4
    assert filled.std() < crop.std() / 4


def test_bootstrap():
    mean, low, high = figures.bootstrap([0.0, 1.0] * 50)
    assert mean == 0.5
    assert 0.39 < low < 0.45 < 0.55 < high < 0.61
    assert all(np.isnan(figures.bootstrap([])))
    assert figures.bootstrap([2.0, float("inf"), float("nan")]) == (2.0, 2.0, 2.0)


def test_the_centre_prior_is_in_the_centre():
    prior = figures.centre_prior(64, 64)
    assert np.unravel_index(prior.argmax(), prior.shape) in ((31, 31), (31, 32), (32, 31), (32, 32))
    assert prior[0, 0] < 0.05


def test_samples_of_a_face_are_drawn_together():
    values, faces = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0], ["a", "a", "a", "b", "b", "b"]
    mean, low, high = figures.bootstrap(values, groups=faces)
    assert (mean, low, high) == (0.5, 0.0, 1.0)
    assert figures.bootstrap(values)[1] > 0.0
    assert figures.bootstrap([float("nan"), 1.0], groups=["a", "b"]) == (1.0, 1.0, 1.0)
    assert np.isnan(figures.bootstrap([], groups=[])).all()
