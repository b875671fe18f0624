from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assistant.attribution.grids import attribution, enlarge, patch_grid
from assistant.errors import InferenceError
from assistant.types import Trace

CROP = np.zeros((56, 56, 3), np.uint8)


@given(
    arrays(np.float64, (4, 5), elements=st.floats(-1e6, 1e6)),
    st.integers(4, 40),
    st.integers(5, 40),
)
def test_enlarging_stays_in_range(grid, height, width):
    big = enlarge(grid, height, width)
    assert big.shape == (height, width)
    slack = 1e-6 * (1 + np.abs(grid).max())
    assert grid.min() - slack <= big.min()
    assert big.max() <= grid.max() + slack


def test_enlarging_is_torchs_bilinear():
    torch = pytest.importorskip("torch")
    grid = np.random.default_rng(0).random((7, 9))
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(grid)[None, None], (63, 40), mode="bilinear", align_corners=False
    )[0, 0].numpy()
    np.testing.assert_allclose(enlarge(grid, 63, 40), theirs, atol=1e-12)


def test_signed_values_keep_their_zero():
    result = attribution(np.array([[-4.0, 0.0], [1.0, 2.0]]), CROP, method="m")
    assert result.map.max() == 1.0
    assert result.map[0, 0] == 0.0
    assert result.map[-1, 0] == pytest.approx(0.5)


def test_unsigned_values_are_stretched():
    result = attribution(np.array([[3.0, 4.0], [5.0, 5.0]]), CROP, method="m", signed=False)
    assert result.map.min() == 0.0
    assert result.map.max() == 1.0


@pytest.mark.parametrize("signed", [True, False])
def test_a_flat_map_is_empty_not_noise(signed):
    assert attribution(np.zeros((3, 3)), CROP, method="m", signed=signed).map.max() == 0.0


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.array([[np.nan, 1.0]]), "map-not-finite"),
        (np.array([[np.inf, 1.0]]), "map-not-finite"),
        (np.array([1.0, 2.0]), "map-shape"),
        (np.zeros((0, 3)), "map-shape"),
    ],
)
def test_what_is_no_map_is_a_typed_error(values, code):
    with pytest.raises(InferenceError) as caught:
        attribution(values, CROP, method="m")
    assert caught.value.code == code


def test_a_trace_with_the_wrong_number_of_patches():
    trace = Trace(logit=0.0, layers=(), grid=(2, 2))
    assert patch_grid(np.arange(5.0), trace).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(InferenceError, match="2 x 2 grid"):
        patch_grid(np.arange(6.0), trace)
