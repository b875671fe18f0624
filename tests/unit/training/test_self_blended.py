import numpy as np
import pytest

from assistant.training.self_blended import BLEND_RATIOS, face_hull, self_blend

FIVE = np.array([[80, 100], [144, 100], [112, 135], [88, 165], [136, 165]], float)


def face(seed=0):
    rng = np.random.default_rng(seed)
    base = rng.integers(60, 200, (14, 14, 3)).repeat(16, 0).repeat(16, 1)
    return (base + rng.integers(-8, 8, base.shape)).clip(0, 255).astype(np.uint8)


def dense():
    angle = np.linspace(0, 2 * np.pi, 200)
    ring = np.stack([112 + 60 * np.cos(angle), 120 + 80 * np.sin(angle)], 1)
    return np.concatenate([ring, 0.5 * (ring - [112, 120]) + [112, 120]])


@pytest.mark.parametrize("points", [FIVE, dense()])
@pytest.mark.parametrize("seed", range(6))
def test_the_mask_is_exact_where_the_target_is_untouched(points, seed):
    crop = face()
    image, mask = self_blend(crop, points, np.random.default_rng(seed))
    assert image.dtype == np.uint8
    assert image.shape == crop.shape
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask.max() == pytest.approx(
        min(BLEND_RATIOS, key=lambda r: abs(r - mask.max())), abs=0.02
    )
    assert 0.02 < (mask > 0.01).mean() < 0.7
    inside = np.abs(image.astype(int) - crop.astype(int)).mean(2)[mask > 0.2].mean()
    assert inside > 0.5


def test_outside_the_mask_is_the_target_whatever_the_copy():
    crop = face()
    unchanged = 0
    for seed in range(30):
        image, mask = self_blend(crop, FIVE, np.random.default_rng(seed))
        unchanged += bool((image[mask == 0] == crop[mask == 0]).all())
    assert 5 < unchanged < 25  # the change goes to the copy in about half the cases


def test_the_same_seed_gives_the_same_face_and_the_input_stays():
    crop = face()
    before = crop.copy()
    one, other = (self_blend(crop, FIVE, np.random.default_rng(5)) for _ in range(2))
    assert (one[0] == other[0]).all()
    assert (one[1] == other[1]).all()
    assert (crop == before).all()


def test_masks_differ_between_seeds():
    masks = [self_blend(face(), FIVE, np.random.default_rng(s))[1] > 0.1 for s in range(5)]
    assert len({m.sum() for m in masks}) == 5


def test_the_hull_of_five_points_holds_them():
    for seed in range(10):
        hull = face_hull((224, 224), FIVE, np.random.default_rng(seed))
        assert all(hull[int(y), int(x)] == 1 for x, y in FIVE)


@pytest.mark.parametrize("points", [np.zeros((4, 2)), np.zeros((5, 3)), np.zeros(10)])
def test_landmarks_of_another_shape_are_refused(points):
    with pytest.raises(ValueError, match="landmarks"):
        self_blend(face(), points, np.random.default_rng(0))


def test_a_hull_outside_the_crop_is_refused():
    with pytest.raises(ValueError, match="inside"):
        self_blend(face(), FIVE + 1000, np.random.default_rng(0))
