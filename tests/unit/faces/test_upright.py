"""Pictures that lie on their side or upside down, without a word of it in the file."""

import numpy as np
import pytest

from assistant.faces import make_face
from assistant.faces.alignment import TEMPLATE
from assistant.faces.centerface import CenterFaceFinder
from assistant.faces.upright import Find, find_upright, roll_degrees
from assistant.types import CropSpec, Detection
from tests.unit.faces.scenes import astronaut, face_only, group, model_file

POINTS = (TEMPLATE * 60 + [30, 10]).astype(np.float32)


@pytest.fixture(scope="module")
def finder(data_dir) -> CenterFaceFinder:
    return CenterFaceFinder(model_file("centerface", data_dir))


def find(certainty: float, points=POINTS) -> Find:
    detection = Detection(box_xyxy=(30, 10, 90, 70), landmarks=points, confidence=0.9)
    return Find(detection=detection, certainty=certainty)


def marked() -> np.ndarray:
    """A picture of 200 x 100 pixels whose upper left corner is marked."""
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:20, :20] = 255
    return picture


def upright_only(certainty: float, elsewhere: tuple[Find, ...] = ()):
    """A finder that sees the face only in pictures whose mark lies at the upper left."""
    searched = []

    def search(image):
        searched.append(image.shape)
        return [find(certainty)] if image[5, 5, 0] else list(elsewhere)

    return search, searched


def test_an_upright_picture_is_searched_once():
    search, searched = upright_only(0.9)
    (found,) = find_upright(marked(), search)
    assert np.array_equal(found.landmarks, POINTS)
    assert len(searched) == 1


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("elsewhere", [(), (find(0.5),)])
def test_a_turned_face_is_told_in_pixels_of_the_picture_as_it_is(quarters, elsewhere):
    search, searched = upright_only(0.9, elsewhere)
    picture = np.ascontiguousarray(np.rot90(marked(), quarters))
    (found,) = find_upright(picture, search)
    assert 2 <= len(searched) <= 4
    dots = np.zeros((100, 200))
    for number, (x, y) in enumerate(POINTS.round().astype(int), 1):
        dots[y, x] = number
    dots = np.rot90(dots, quarters)
    for number, (x, y) in enumerate(found.landmarks.round().astype(int), 1):
        assert dots[y, x] == number
    x0, y0, x1, y1 = found.box_xyxy
    assert 0 <= x0 < x1 <= picture.shape[1]
    assert 0 <= y0 < y1 <= picture.shape[0]
    inside = (found.landmarks > [x0, y0]) & (found.landmarks < [x1, y1])
    assert inside.all()


def test_an_unsure_find_stays_where_no_turn_is_better():
    search, searched = upright_only(0.6, (find(0.65),))
    assert len(find_upright(marked(), search)) == 1
    assert len(searched) == 4


def test_nothing_is_found_where_there_is_nothing():
    search, searched = upright_only(0.0)
    assert find_upright(np.zeros((50, 80, 3), np.uint8), search) == []
    assert len(searched) == 4


def test_a_lying_face_beside_an_upright_one_turns_nothing():
    lying = np.ascontiguousarray((POINTS @ [[0, -1], [1, 0]] + [0, 120]).astype(np.float32))
    searched = []

    def search(image):
        searched.append(image.shape)
        return [find(0.9), find(0.9, lying)]

    assert len(find_upright(marked(), search)) == 2
    assert len(searched) == 1


@pytest.mark.parametrize(("quarters", "roll"), [(0, 0), (1, 90), (2, 180), (3, -90)])
def test_the_roll_is_that_of_the_picture(quarters, roll):
    turn = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), quarters)
    assert abs(roll_degrees(POINTS @ turn)) == pytest.approx(abs(roll), abs=1e-3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("name", ["portrait", "close-up"])
def test_the_crop_of_a_turned_picture_is_that_of_the_upright_one(finder, quarters, name):
    picture = astronaut() if name == "portrait" else face_only()
    crops = []
    for turned in (picture, np.ascontiguousarray(np.rot90(picture, quarters))):
        found = max(finder.find(turned), key=lambda d: d.area)
        face = make_face(turned, found, CropSpec(), media_id="m", index=0, frame_index=0)
        crops.append(face.crop.astype(float))
    assert np.abs(crops[0] - crops[1]).mean() < 4
    assert np.abs(crops[0] - np.rot90(crops[1], 2)).mean() > 20


def test_a_group_that_stands_on_its_head_is_found_whole(finder):
    scene, _ = group(6, 80, (700, 500))
    upright = finder.find(scene)
    turned = finder.find(np.ascontiguousarray(np.rot90(scene, 2)))
    assert len(turned) == len(upright) == 6
    assert all(abs(roll_degrees(d.landmarks)) > 150 for d in turned)
