"""How well the domain check tells sources that it was not fitted on."""

from __future__ import annotations

import numpy as np

from assistant.training.domain import sources_told


def faces(shift: float, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (count, 12))


def test_a_source_far_from_the_others_is_told_and_one_like_them_is_not():
    names = ["a"] * 300 + ["b"] * 300 + ["far"] * 40
    first, second = (
        np.concatenate([faces(0, 300, s), faces(0, 300, s + 1), faces(9, 40, s + 2)])
        for s in (1, 11)
    )
    told = sources_told(first, names, second, names)
    assert told["far"] > 0.99
    assert 0.4 < told["a"] < 0.6


def test_a_source_too_small_or_without_enough_others_is_not_judged():
    values = np.concatenate([faces(0, 210, 1), faces(0, 5, 2)])
    names = ["a"] * 210 + ["tiny"] * 5
    assert sources_told(values, names, values, names) == {}
