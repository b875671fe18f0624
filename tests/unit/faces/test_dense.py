import cv2
import numpy as np
import pytest

from assistant.errors import InferenceError, WeightsError
from assistant.faces.alignment import align
from assistant.faces.dense import FACE_OVAL, GROUPS, DenseLandmarks
from assistant.types import CropSpec
from tests.unit.faces.scenes import POINTS, astronaut, copy_of, model_file

EYES = 46.0  # pixels between the astronaut's eyes


@pytest.fixture(scope="module")
def path(data_dir):
    return model_file("face-landmarks", data_dir)


@pytest.fixture(scope="module")
def dense(path):
    return DenseLandmarks(path)


def test_the_points_agree_with_the_five(dense):
    found = dense.find(astronaut(), POINTS)
    assert found.points.shape == (468, 2)
    assert found.depth.shape == (468,)
    assert found.confidence > 0.99
    off = np.linalg.norm(found.five - POINTS, axis=1) / EYES
    assert off.mean() < 0.08
    assert off.max() < 0.15


def test_a_crop_and_its_frame_give_the_same_points(dense):
    whole = dense.find(astronaut(), POINTS)
    crop, matrix = align(astronaut(), POINTS, CropSpec(size=320, scale=1.6))
    inner = dense.find(crop, POINTS @ matrix[:, :2].T + matrix[:, 2])
    moved = whole.points @ matrix[:, :2].T + matrix[:, 2]
    factor = np.hypot(*matrix[:, 0])
    assert np.linalg.norm(inner.points - moved, axis=1).mean() / (EYES * factor) < 0.03


def test_turning_the_picture_turns_the_points(dense):
    upright = dense.find(astronaut(), POINTS).points
    turned_picture = np.ascontiguousarray(np.rot90(astronaut(), 2))
    turned = dense.find(turned_picture, 511 - POINTS).points
    assert np.linalg.norm(511 - turned - upright, axis=1).mean() / EYES < 0.03


def test_where_there_is_no_face_the_confidence_is_low(dense):
    flat = np.full((512, 512, 3), 128, np.uint8)
    assert dense.find(flat, POINTS).confidence < 0.1


def test_left_and_right_are_the_viewers(dense):
    points = dense.find(astronaut(), POINTS).points
    middle = {name: points[list(group)].mean(0) for name, group in GROUPS.items()}
    assert middle["left eye"][0] < middle["nose"][0] < middle["right eye"][0]
    assert middle["left brow"][1] < middle["left eye"][1] < middle["nose"][1] < middle["mouth"][1]


def test_outlines_do_not_cross_themselves(dense):
    points = dense.find(astronaut(), POINTS).points
    for name, group in GROUPS.items():
        outline = points[list(group)].astype(np.float32)
        filled = abs(cv2.contourArea(outline))
        hull = cv2.contourArea(cv2.convexHull(outline))
        assert 0.6 < filled / hull <= 1.0001, name


def test_the_oval_names_each_point_once():
    assert len(set(FACE_OVAL)) == len(FACE_OVAL) == 36


def test_points_on_one_spot_are_a_typed_error(dense):
    with pytest.raises(InferenceError, match="dense points"):
        dense.find(astronaut(), np.full((5, 2), 9.0))


def test_a_file_that_is_missing_or_another_is_a_weights_error(path, tmp_path):
    for bad in (tmp_path / "none.tflite", copy_of(path, tmp_path, length=3000)):
        with pytest.raises(WeightsError, match="missing or is another") as caught:
            DenseLandmarks(bad)
        assert "weights fetch face-landmarks" in caught.value.hint


def test_provenance_names_the_file_by_its_hash(dense):
    assert len(dense.provenance()["sha256"]) == 64
