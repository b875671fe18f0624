"""Every face finder keeps the same contract."""

from __future__ import annotations

import math
import threading

import cv2
import numpy as np
import pytest

from assistant import registry
from assistant.faces import make_face
from assistant.interfaces import FaceFinder
from assistant.types import CropSpec, Detection
from tests.unit.faces.scenes import BOX, RETINA, astronaut, group, model_file


def make(name: str, data_dir) -> FaceFinder:
    cls = registry.load("face_finders", name, plugins=False)
    if name == "centerface":
        return cls(model_file("centerface", data_dir))
    if name == "retinaface":
        if not RETINA.is_file():
            pytest.skip("needs the RetinaFace weights")
        import torch

        torch.set_num_threads(1)  # threads that wait for each other make a busy machine crawl
        return cls(RETINA, network="mobilenet0.25")
    raise AssertionError(f"no recipe for the face finder {name!r}: add one here")


@pytest.fixture(scope="module", params=[*registry.BUILT_IN["face_finders"]])
def finder(request, data_dir) -> FaceFinder:
    return make(request.param, data_dir)


def same(a: tuple[Detection, ...], b: tuple[Detection, ...]) -> bool:
    return len(a) == len(b) and all(
        x.box_xyxy == y.box_xyxy
        and x.confidence == y.confidence
        and np.array_equal(x.landmarks, y.landmarks)
        for x, y in zip(a, b, strict=True)
    )


def test_it_is_a_face_finder_with_a_name_and_a_source(finder):
    assert isinstance(finder, FaceFinder)
    assert finder.name
    assert finder.provenance()["model"]
    assert all(isinstance(v, str) for v in finder.provenance().values())


def test_the_astronaut_is_found(finder):
    found = finder.find(astronaut())
    assert isinstance(found, tuple)
    (x0, y0, x1, y1) = found[0].box_xyxy
    inner = max(0, min(x1, BOX[2]) - max(x0, BOX[0])) * max(0, min(y1, BOX[3]) - max(y0, BOX[1]))
    union = (x1 - x0) * (y1 - y0) + (BOX[2] - BOX[0]) * (BOX[3] - BOX[1]) - inner
    assert inner / union > 0.6


def test_detections_are_finite_inside_the_picture_and_best_first(finder):
    scene, _ = group(3, 90, (640, 300))
    found = finder.find(scene)
    assert found
    for detection in found:
        x0, y0, x1, y1 = detection.box_xyxy
        assert 0 <= x0 < x1 <= 640
        assert 0 <= y0 < y1 <= 300
        assert all(type(v) is float for v in detection.box_xyxy)
        assert detection.landmarks.dtype == np.float32
        assert math.isfinite(detection.confidence)
        assert 0 <= detection.confidence <= 1
    confidences = [d.confidence for d in found]
    assert confidences == sorted(confidences, reverse=True)


def test_points_lie_as_on_a_face(finder):
    points = finder.find(astronaut())[0].landmarks
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_it_is_deterministic_and_leaves_the_picture_alone(finder):
    picture = astronaut().copy()
    first, second = finder.find(picture), finder.find(picture)
    assert same(first, second)
    assert np.array_equal(picture, astronaut())


def test_read_only_and_strided_pictures_are_taken(finder):
    expected = finder.find(astronaut())
    padded = np.zeros((512, 600, 3), np.uint8)
    padded[:, 40:552] = astronaut()
    view = padded[:, 40:552]
    assert not view.flags.c_contiguous
    assert same(finder.find(view), expected)
    assert not astronaut().flags.writeable


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (33, 65)])
def test_tiny_pictures_never_raise(finder, shape):
    assert finder.find(np.full((*shape, 3), 90, np.uint8)) == ()


def test_a_found_face_can_be_aligned(finder):
    detection = finder.find(astronaut())[0]
    face = make_face(astronaut(), detection, CropSpec(), media_id="m", index=0, frame_index=0)
    assert face.crop.shape == (256, 256, 3)


def test_a_picture_without_a_face_has_none(finder):
    for level in (0, 128):
        assert finder.find(np.full((240, 320, 3), level, np.uint8)) == ()


def test_a_face_found_at_twice_the_size_is_the_same_face(finder):
    large = cv2.resize(astronaut(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    one, two = finder.find(astronaut())[0], finder.find(large)[0]
    off = np.linalg.norm(two.landmarks / 2 - one.landmarks, axis=1)
    assert off.max() < 0.15 * 46  # shares of the distance between the eyes


def test_threads_do_not_mix_their_pictures(finder):
    scenes = [astronaut(), group(2, 100, (640, 300))[0]]
    expected = [finder.find(scene) for scene in scenes]
    wrong: list[int] = []

    def look(which: int) -> None:
        if not all(same(finder.find(scenes[which]), expected[which]) for _ in range(2)):
            wrong.append(which)

    threads = [threading.Thread(target=look, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
