"""Faces with a part exchanged, mended or taken out."""

import cv2
import numpy as np
import pytest

from assistant.training.partial import exchanged, mended, spared, without_some

SIDE = 168


@pytest.fixture(scope="module")
def face():
    return _face(3), POINTS


POINTS = np.array([[60, 66], [110, 66], [84, 96], [64, 124], [106, 124]], np.float64)


def _face(seed):
    """A face-like picture: a smooth ground with fine grain everywhere."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(90, 170, (6, 6, 3)).repeat(28, 0).repeat(28, 1)
    return (coarse + rng.uniform(-25, 25, (SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)


def grain(picture, mask):
    """Mean difference of neighbouring pixels in a mask: what a filled hole has lost."""
    steps = np.abs(np.diff(picture.astype(float), axis=1)).mean(-1)
    return steps[mask[:, 1:]].mean()


def test_up_to_half_of_a_face_is_taken_out_and_the_rest_kept(face):
    crop, points = face
    covered = []
    for seed in range(40):
        out = without_some(crop, points, np.random.default_rng(seed))
        assert out.shape == crop.shape
        assert out.dtype == np.uint8
        again = without_some(crop, points, np.random.default_rng(seed))
        assert (out == again).all()
        covered.append((out != crop).any(-1).mean())
    assert min(covered) > 0
    assert max(covered) < 0.65  # rims are feathered
    assert np.ptp(covered) > 0.2


def test_points_that_span_no_face_still_lose_a_patch(face):
    crop, _ = face
    for seed in range(20):
        out = without_some(crop, np.full((5, 2), 80.0), np.random.default_rng(seed))
        assert (out != crop).any()


@pytest.mark.parametrize("seed", range(12))
def test_what_was_exchanged_is_gone_once_mended_and_stays_where_it_is_spared(face, seed):
    crop, points = face
    picture, mask = exchanged(crop, points, _face(9), np.random.default_rng(seed))
    assert 0 < mask.mean() < 1
    fixed = mended(picture, mask, np.random.default_rng(seed))
    left = spared(picture, mask, np.random.default_rng(seed))
    inner = mask & ~(left != picture).any(-1)
    assert grain(fixed, mask) < 0.75 * grain(picture, mask)
    assert inner.sum() > 0.6 * mask.sum()
    assert (left != picture).any()
    outside = ~mask & (fixed == picture).all(-1)
    assert outside.sum() > 0.5 * (~mask).sum()


def test_only_the_part_is_the_donors(face):
    crop, points = face
    donor = np.full_like(crop, 20)
    # the others are blended with themselves
    seeds = [seed for seed in range(30) if np.random.default_rng(seed).random() >= 0.5]
    assert len(seeds) > 5
    for seed in seeds:
        rng = np.random.default_rng(seed)
        picture, mask = exchanged(crop, points, donor, rng)
        rim = cv2.dilate(mask.astype(np.uint8), np.ones((31, 31))) > 0
        assert (picture == crop)[~rim].all()
        assert (picture != crop).any(-1)[mask].mean() > 0.5
