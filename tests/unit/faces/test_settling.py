"""Points that do not remember what surrounded the face."""

import cv2
import numpy as np
import pytest

from assistant.faces.alignment import similarity, template_points
from assistant.faces.centerface import CenterFaceFinder
from assistant.faces.settling import WINDOW_SIDE, settle_points
from assistant.types import CropSpec
from tests.unit.faces.scenes import POINTS, astronaut, model_file

#: Five dots of their own colours, as far apart as a face's points; "found" by their colours.
COLOURS = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250], [250, 250, 0], [0, 250, 250]])
DOTS = np.array([[122, 130], [178, 126], [152, 160], [130, 192], [174, 189]], np.float32)


def drawn():
    picture = np.full((300, 300, 3), 128, np.uint8)
    for dot, colour in zip(DOTS, COLOURS, strict=True):
        cv2.circle(picture, (int(dot[0]), int(dot[1])), 7, colour.tolist(), -1)
    return picture


def by_colour(window):
    found = []
    for colour in COLOURS:
        rows, columns = np.where(np.abs(window.astype(int) - colour).sum(2) < 60)
        if not len(rows):
            return None
        found.append((columns.mean(), rows.mean()))
    return np.array(found), 0.9


@pytest.mark.parametrize("off", [(0, 0), (6, -4), (-5, 7)])
@pytest.mark.parametrize("turn", [0, 15])
def test_points_go_where_they_are_found_again(off, turn):
    start = DOTS + np.array(off, np.float32)
    middle = DOTS.mean(0)
    matrix = cv2.getRotationMatrix2D([float(v) for v in middle], turn, 1.05)
    start = start @ matrix[:, :2].T + matrix[:, 2]
    settled, certainty = settle_points(drawn(), start, by_colour)
    assert certainty == 0.9
    assert settled.dtype == np.float32
    assert np.linalg.norm(settled - DOTS, axis=1).max() < 1.0


def test_each_window_shows_the_face_upright_in_a_black_border():
    seen = []

    def look(window):
        seen.append(window)

    settle_points(drawn(), DOTS, look)
    (window,) = seen
    assert window.shape == (WINDOW_SIDE, WINDOW_SIDE, 3)
    assert window.dtype == np.uint8
    assert not window[:40].any()
    assert not window[:, -40:].any()
    assert window[40:-40, 40:-40].any(axis=2).all()
    matrix = similarity(DOTS, template_points(CropSpec(size=144, scale=0.85, shift_y=-0.13)))
    expected = DOTS @ matrix[:, :2].T + matrix[:, 2] + 40
    assert np.linalg.norm(by_colour(window)[0] - expected, axis=1).max() < 2.5


def test_points_stay_where_no_face_is_found_again():
    assert np.array_equal(settle_points(drawn(), DOTS, lambda _: None)[0], DOTS)
    assert settle_points(drawn(), DOTS, lambda _: None)[1] == 0.0


def test_points_stay_where_another_face_is_found():
    def elsewhere(window):
        points, certainty = by_colour(window)
        return points + 40, certainty

    assert np.array_equal(settle_points(drawn(), DOTS, elsewhere)[0], DOTS)


def test_points_that_coincide_have_no_window():
    same = np.full((5, 2), 100, np.float32)
    assert np.array_equal(settle_points(drawn(), same, by_colour)[0], same)


def test_the_picture_is_left_alone():
    picture = drawn()
    before = picture.copy()
    settle_points(picture, DOTS + 3, by_colour)
    assert np.array_equal(picture, before)


def test_a_face_has_the_same_points_in_other_frames_of_it(data_dir):
    """What the finder first finds moves with the frame; what it settles on hardly does."""
    finder = CenterFaceFinder(model_file("centerface", data_dir))
    photo = astronaut()
    (whole,) = finder.find(photo)
    left, top, right, bottom = (round(v) for v in whole.box_xyxy)
    eyes = float(np.linalg.norm(POINTS[0] - POINTS[1]))
    moved = {True: [], False: []}
    for settling in (True, False):
        if not settling:
            finder._points = lambda _: None
        (first,) = finder.find(photo)
        for room in (0, 4, 10, 25):
            x, y = max(0, left - room), max(0, top - room)
            crop = np.ascontiguousarray(photo[y : bottom + room, x : right + room])
            (again,) = finder.find(crop)
            off = again.landmarks + np.array([x, y], np.float32) - first.landmarks
            moved[settling].append(float(np.linalg.norm(off, axis=1).mean()) / eyes)
    assert max(moved[True]) < 0.06
    assert np.mean(moved[True]) < 0.6 * np.mean(moved[False])
