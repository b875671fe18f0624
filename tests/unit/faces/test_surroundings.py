import numpy as np
import pytest

from assistant.faces.crops import make_face
from assistant.faces.surroundings import SIDE, surroundings
from assistant.types import CropSpec, Detection


def points(x, y, apart):
    """Five points of a face whose eyes are ``apart`` pixels from each other, centred at x, y."""
    shape = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.5], [-0.4, 1.0], [0.4, 1.0]])
    return (shape * apart + [x, y]).astype(np.float32)


def noise(height, width):
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_pixels_are_the_pictures_own():
    frame = noise(400, 500)
    found = surroundings(frame, points(250, 200, 50))
    assert found.shape == (200, 200, 3)  # 2 x 2.0 x 50
    assert np.array_equal(found, frame[105:305, 150:350])  # centre: eyes + 0.1 x (mouth - eyes)


def test_a_large_face_is_shrunk_to_the_side():
    frame = np.zeros((1200, 1200, 3), np.uint8)
    frame[:, 600:] = 250
    found = surroundings(frame, points(600, 560, 200))
    assert found.shape == (SIDE, SIDE, 3)
    assert found[:, :120].max() == 0
    assert found[:, 136:].min() == 250


@pytest.mark.parametrize("cut", ["left", "bottom"])
def test_the_window_ends_where_the_picture_ends(cut):
    x, y = (40, 200) if cut == "left" else (200, 350)
    found = surroundings(noise(400, 400), points(x, y, 50))
    assert found.shape == ((200, 140, 3) if cut == "left" else (145, 200, 3))


def test_a_large_face_at_the_rim_is_shrunk_by_the_same_share():
    whole = surroundings(noise(1000, 1000), points(500, 450, 120))
    part = surroundings(noise(1000, 1000), points(120, 450, 120))
    assert whole.shape == (SIDE, SIDE, 3)
    assert part.shape[0] == SIDE
    assert part.shape[1] == round((120 + 240) * SIDE / 480)


def test_where_too_little_is_seen_there_is_nothing():
    assert surroundings(noise(400, 400), points(200, 200, 10)) is None  # 40 pixels
    assert surroundings(noise(400, 400), points(200, 200, 0)) is None
    assert surroundings(noise(50, 50), points(25, 20, 20)) is None
    assert surroundings(noise(80, 80), points(900, 900, 30)) is None


def test_a_face_carries_its_surroundings():
    frame = noise(300, 300)
    found = Detection(
        box_xyxy=(100.0, 90.0, 200.0, 220.0), landmarks=points(150, 140, 45), confidence=0.9
    )
    face = make_face(frame, found, CropSpec(), media_id="m", index=0, frame_index=0)
    assert np.array_equal(face.around, surroundings(frame, found.landmarks))
