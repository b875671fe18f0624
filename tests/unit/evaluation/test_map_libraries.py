"""Our figures for maps against the papers and against published libraries."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.evaluation import map_metrics as figures


@pytest.mark.parametrize("seed", range(3))
def test_road_fills_holes_as_grad_cam_does(seed):
    """Their linear system, solved here: their own call trips over this numpy."""
    from scipy.sparse import csc_matrix
    from scipy.sparse.linalg import spsolve

    road = pytest.importorskip("pytorch_grad_cam.metrics.road")
    rng = np.random.default_rng(seed)
    picture, hole = rng.random((12, 10, 3)), rng.random((12, 10)) < 0.4
    matrix, right = road.NoisyLinearImputer.setup_sparse_system(
        (~hole).astype(float), picture.transpose(2, 0, 1), road.neighbors_weights
    )
    theirs = picture.copy()
    theirs[hole] = spsolve(csc_matrix(matrix), right)
    np.testing.assert_allclose(figures.imputed(picture, hole), theirs, atol=1e-9)


def test_a_hole_that_is_everything_gets_the_mean():
    picture = np.random.default_rng(0).random((6, 6, 3))
    filled = figures.imputed(picture, np.ones((6, 6), bool))
    np.testing.assert_allclose(filled, np.broadcast_to(picture.mean((0, 1)), filled.shape))
