import numpy as np
import pytest

from assistant import edits

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (40, 60, 3), np.uint8)


@pytest.mark.parametrize(
    "changed",
    [
        edits.coded(PICTURE, 50),
        edits.coded(PICTURE, 50, ".webp"),
        edits.shrunk(PICTURE, 0.5),
        edits.softened(PICTURE, 1.5),
        edits.greyed(PICTURE),
        edits.mirrored(PICTURE),
        edits.noisy(PICTURE, 8.0, RNG),
        edits.moved(PICTURE, 0.1, 0.0),
        edits.moved(PICTURE, 0.0, 0.0, 1.2),
    ],
)
def test_a_change_keeps_size_and_type_and_changes_something(changed):
    assert changed.shape == PICTURE.shape
    assert changed.dtype == np.uint8
    assert (changed != PICTURE).any()


def test_what_a_change_does():
    assert edits.shrunk(PICTURE, 0.5, back=False).shape == (20, 30, 3)
    assert (edits.greyed(PICTURE).max(2) == edits.greyed(PICTURE).min(2)).all()
    assert (edits.mirrored(edits.mirrored(PICTURE)) == PICTURE).all()
    assert (edits.moved(PICTURE, 0.1, 0.0)[:, 6:] == PICTURE[:, :-6]).all()
    assert edits.softened(PICTURE, 3.0).std() < 0.5 * PICTURE.std()
