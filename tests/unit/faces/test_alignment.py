import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.faces.alignment import TEMPLATE, align, similarity, template_points
from assistant.types import CropSpec
from tests.unit.faces.scenes import POINTS, astronaut


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.05, 40),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_a_similarity_is_found_again(angle, scale, x, y):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = similarity(TEMPLATE, TEMPLATE @ turn.T + [x, y])
    assert np.allclose(matrix, np.hstack([turn, [[x], [y]]]), atol=1e-6 * max(1, abs(x), abs(y)))


def test_a_mirrored_face_is_not_mirrored_back():
    mirrored = TEMPLATE * [-1, 1] + [1, 0]
    assert np.linalg.det(similarity(mirrored, TEMPLATE)[:, :2]) > 0


def test_points_on_one_spot_are_refused():
    with pytest.raises(ValueError, match="coincide"):
        similarity(np.ones((5, 2)), TEMPLATE)


@pytest.mark.parametrize("spec", [CropSpec(), CropSpec(size=224, scale=0.95, shift_y=-0.13)])
def test_the_points_land_on_the_template(spec):
    crop, matrix = align(astronaut(), POINTS, spec)
    assert crop.shape == (spec.size, spec.size, 3)
    landed = POINTS @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(landed - template_points(spec)).max() < 0.08 * spec.size


def test_the_published_formula_holds():
    expected = (TEMPLATE * 256 + 0.3 * 128) / 1.3
    assert np.allclose(template_points(CropSpec(size=256, scale=1.3)), expected)


def test_a_much_larger_picture_gives_the_same_crop():
    import cv2

    large = cv2.resize(astronaut(), None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    small_crop, _ = align(astronaut(), POINTS, CropSpec(size=96))
    large_crop, _ = align(large, POINTS * 5 + 2, CropSpec(size=96))
    assert np.abs(small_crop.astype(int) - large_crop).mean() < 5


def test_the_picture_is_not_changed():
    picture = astronaut().copy()
    align(picture, POINTS, CropSpec())
    assert np.array_equal(picture, astronaut())
