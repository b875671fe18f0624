"""Our figures for maps against the papers and against published libraries."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from assistant.evaluation import map_metrics as figures

SIDE = 8


def flipped(seed):
    """A picture, a map and a linear score of it."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(1, 255, (SIDE, SIDE)).astype(np.uint8)
    picture[0, 0] = 0
    return picture, rng.random((SIDE, SIDE)), rng.normal(size=(SIDE, SIDE))


@pytest.mark.parametrize("seed", range(3))
def test_deletion_and_insertion_are_those_of_the_paper(seed):
    """arXiv 1806.07421, algorithm 1, pixel by pixel; no library here has insertion."""
    picture, heat, weights = flipped(seed)
    crop = np.repeat(picture[..., None], 3, axis=2)

    def score(x):
        return float((x[..., 0] / 255.0 * weights).sum())

    def plain(start, finish):
        now, values = start.copy(), [score(start)]
        for place in np.argsort(-heat.ravel(), kind="stable"):
            row, column = divmod(int(place), SIDE)
            now[row, column] = finish[row, column]
            values.append(score(now))
        return sum((a + b) / 2 for a, b in pairwise(values)) / heat.size

    shares = [n / heat.size for n in range(heat.size + 1)]
    black = np.zeros_like(crop)
    for insert in (False, True):
        changed = figures.exchanged(crop, black, heat, shares=shares, insert=insert, cells=SIDE)
        curve = np.array([score(c) for c in changed])
        wanted = plain(black, crop) if insert else plain(crop, black)
        assert figures.trapezoid(shares, curve) == pytest.approx(wanted)


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


def test_max_sensitivity_is_captums():
    import torch

    captum = pytest.importorskip("captum.metrics")
    rng = np.random.default_rng(2)
    picture = rng.random((1, 1, SIDE, SIDE)).astype(np.float32)
    noise = rng.normal(0, 0.05, (3, 1, SIDE, SIDE)).astype(np.float32)

    def explain(x):
        return x**2 * 3 + x

    theirs = captum.sensitivity_max(
        lambda x: (explain(x[0] if isinstance(x, tuple) else x),),
        torch.tensor(picture),
        perturb_func=lambda x, radius: torch.tensor(picture + noise),
        n_perturb_samples=3,
        norm_ord=2,
    )
    heat = explain(picture)[0, 0]
    others = [explain(picture + n[None])[0, 0] for n in noise]
    assert figures.max_sensitivity(heat, others) == pytest.approx(float(theirs), rel=1e-5)
