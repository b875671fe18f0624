import threading
import time

import cv2
import numpy as np
import pytest
from skimage import data

from assistant.errors import InferenceError, WeightsError
from assistant.faces import make_face
from assistant.faces.centerface import CenterFaceFinder
from assistant.types import CropSpec
from tests.unit.faces.scenes import (
    POINTS,
    SHARED,
    astronaut,
    copy_of,
    face_only,
    group,
    model_file,
)


@pytest.fixture(scope="module")
def path(data_dir):
    return model_file("centerface", data_dir)


@pytest.fixture(scope="module")
def finder(path):
    return CenterFaceFinder(path)


@pytest.mark.parametrize("factor", [0.3, 0.5, 1.0, 2.0, 4.0])
def test_the_astronaut_is_found_at_every_size(finder, factor):
    picture = cv2.resize(astronaut(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    (found,) = finder.find(picture)
    off = np.linalg.norm(found.landmarks / factor - POINTS, axis=1)
    assert off.max() < 0.2 * 46  # shares of the distance between the eyes
    assert found.confidence > 0.8


def test_a_face_that_fills_its_picture_is_found_as_in_training(finder):
    picture = face_only()
    (found,) = finder.find(picture)
    boxes, points, scores = finder._net.detect(picture, longest_side=224, threshold=0.5)
    assert np.allclose(found.box_xyxy, boxes[0], atol=1e-3)
    eyes = np.linalg.norm(points[0][0] - points[0][1])
    assert np.linalg.norm(found.landmarks - points[0], axis=1).max() < 0.1 * eyes
    assert found.confidence == pytest.approx(float(scores[0]))
    assert found.box_xyxy[2] <= 224
    assert len(boxes) == 1


@pytest.mark.parametrize("side", [500, 1000, 2000])
def test_a_large_picture_of_a_face_alone_is_found(finder, side):
    found = finder.find(face_only(side))
    assert len(found) == 1
    assert found[0].box_xyxy[2] - found[0].box_xyxy[0] > 0.5 * side


@pytest.mark.parametrize(
    ("count", "face", "size"),
    [(2, 118, (640, 400)), (20, 80, (1200, 900)), (20, 40, (1600, 1200)), (6, 30, (1900, 1080))],
)
def test_every_face_of_a_group_is_found_once(finder, count, face, size):
    scene, centres = group(count, face, size)
    found = finder.find(scene)
    assert len(found) == count
    middles = np.array([d.landmarks.mean(0) for d in found])
    nearest = np.linalg.norm(middles[:, None] - centres[None], axis=2).min(1)
    assert nearest.max() < 0.35 * face


def test_small_faces_in_a_small_picture_are_found(finder):
    scene, _ = group(3, 34, (380, 120))
    assert len(finder.find(scene)) == 3


def test_a_face_of_twelve_pixels_in_a_photo_is_not_called_a_clear_one(finder):
    from assistant.faces import is_too_small

    scene, _ = group(1, 12, (640, 480))
    assert all(is_too_small(d) for d in finder.find(scene))


@pytest.mark.parametrize(
    "name",
    [
        "coffee",
        "rocket",
        "cat",
        "text",
        "coins",
        "page",
        "logo",
        "moon",
        "brick",
        "gravel",
        "clock",
    ],
)
@pytest.mark.parametrize("factor", [1.0, 2.5])
def test_pictures_without_a_face_have_none(finder, name, factor):
    picture = np.asarray(getattr(data, name)())
    picture = np.stack([picture] * 3, 2) if picture.ndim == 2 else picture[..., :3]
    picture = cv2.resize(np.ascontiguousarray(picture), None, fx=factor, fy=factor)
    assert finder.find(picture) == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (7, 300), (40, 3000)])
def test_strange_shapes_have_no_face(finder, shape):
    assert finder.find(np.full((*shape, 3), 128, np.uint8)) == ()


def test_a_threshold_of_one_finds_nothing(path):
    assert CenterFaceFinder(path, threshold=1.0).find(astronaut()) == ()


def test_provenance_names_the_file_by_its_hash(finder):
    assert len(finder.provenance()["sha256"]) == 64


def test_a_file_that_is_missing_or_cut_short_is_a_weights_error(path, tmp_path):
    for bad in (tmp_path / "none.onnx", copy_of(path, tmp_path, length=5000)):
        with pytest.raises(WeightsError, match="missing or cannot be read") as caught:
            CenterFaceFinder(bad)
        assert "whyfake weights fetch centerface" in caught.value.hint


def test_a_failure_of_the_network_is_an_inference_error(path, monkeypatch):
    finder = CenterFaceFinder(path)

    def fail(*_args, **_kwargs):
        raise cv2.error("broken")

    monkeypatch.setattr(finder._net, "detect", fail)
    with pytest.raises(InferenceError, match="512 x 512"):
        finder.find(astronaut())


def test_two_threads_get_their_own_faces(finder):
    scenes = {n: group(n, 60, (640, 480))[0] for n in (1, 2, 3)}
    wrong: list[int] = []

    def look(count: int) -> None:
        counts = {len(finder.find(scenes[count])) for _ in range(3)}
        wrong.extend(counts - {count})

    threads = [threading.Thread(target=look, args=(n,)) for n in scenes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_finding_and_aligning_take_little_of_the_processor(finder):
    finder.find(astronaut())
    spent = []
    for _ in range(3):
        began = time.process_time()
        (found,) = finder.find(astronaut())
        make_face(astronaut(), found, CropSpec(), media_id="m", index=0, frame_index=0)
        spent.append(time.process_time() - began)
    assert min(spent) < 0.6  # seconds of all cores together; 0.15 on a clock with two of its own


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the face data")
def test_faces_of_the_data_sets_are_found(finder):
    import csv

    from PIL import Image

    with (SHARED / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    for source in sorted({row["source"] for row in rows}):
        chosen = [row for row in rows if row["source"] == source][::97][:20]
        found = 0
        for row in chosen:
            with Image.open(SHARED / row["path"]) as picture:
                found += bool(finder.find(np.asarray(picture.convert("RGB"))))
        assert found >= 0.95 * len(chosen), source


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the clips")
def test_faces_of_whole_video_frames_are_found(finder):
    from assistant.media import MediaLimits, load_media

    frames = []
    for clip in sorted((SHARED / "clips").glob("*/*.mp4"))[::2]:
        frames += load_media(clip.read_bytes(), MediaLimits(frames=1)).frames
    assert sum(bool(finder.find(frame)) for frame in frames) >= 0.95 * len(frames)
