import cv2
import numpy as np
import pytest
import torch
import yaml

from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.delta_file import read_delta
from assistant.detectors.lifted import face_logits
from assistant.errors import TrainingError
from assistant.faces.crops import make_face
from assistant.training.detector_config import load_config
from assistant.training.surroundings_run import look_around, train_surroundings
from assistant.training.window_cache import WindowCache
from assistant.types import CropSpec
from tests.drawn import MiddleFinder
from tests.unit.training.test_texture import adapted, started  # noqa: F401 - a fixture


@pytest.fixture
def ready(started):  # noqa: F811
    """The same pictures four times as large, with stripes around the face too."""
    for number in range(420):
        path = started / f"{number}.png"
        large = cv2.resize(cv2.imread(str(path)), (120, 120), interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(path), large)
    values = yaml.safe_load((started / "t.yaml").read_text())
    values |= {"recipe": "surroundings", "surroundings": {"generated": ["drawn"]}}
    (started / "t.yaml").write_text(yaml.safe_dump(values))
    return started


def run(folder, out="d.safetensors", finder=None):
    return train_surroundings(
        load_config(folder / "t.yaml"),
        folder / "base.safetensors",
        finder or MiddleFinder(),
        texture=folder / "stages.safetensors",
        work=folder / "work",
        output=folder / out,
        progress=lambda *a: None,
    )


def faces_of(folder, numbers):
    found = []
    for number in numbers:
        frame = cv2.imread(str(folder / f"{number}.png"))[..., ::-1].copy()
        detection = MiddleFinder().find(frame)[0]
        spec = CropSpec(size=42)
        found.append(make_face(frame, detection, spec, media_id="m", index=0, frame_index=0))
    return found


def test_generated_pictures_are_learnt_beside_a_detector_that_stays(ready):
    report = run(ready)
    before, after = (read_delta(ready / f"{n}.safetensors") for n in ("tower", "d"))
    assert report["started_from"] == before.sha256
    assert report["surroundings"]["looks"] == 2 * report["surroundings"]["pictures"]
    assert report["test"]["drawn"]["auroc"] > 0.9
    assert all(torch.equal(before.read_out[n], after.read_out[n]) for n in before.read_out)
    assert before.header.calibration != after.header.calibration
    files = [ready / f"{name}.safetensors" for name in ("base", "d", "stages")]
    detector = ClipLnDetector.load(*files)
    faces = faces_of(ready, range(12))
    added = face_logits(detector, faces) - detector.logits([face.crop for face in faces])
    assert added[1::2].min() > added[::2].max()  # stripes come from the generator
    finder = MiddleFinder()
    run(ready, "again.safetensors", finder)  # from what is kept: the same
    assert finder.calls == 0
    again = ClipLnDetector.load(files[0], ready / "again.safetensors", files[2])
    assert np.array_equal(face_logits(again, faces), face_logits(detector, faces))


def test_another_start_is_refused(ready):
    values = yaml.safe_load((ready / "t.yaml").read_text())
    (ready / "t.yaml").write_text(yaml.safe_dump({**values, "start": "missing.safetensors"}))
    with pytest.raises(TrainingError, match="is not there"):
        run(ready)
    (ready / "t.yaml").write_text(yaml.safe_dump({**values, "surroundings": {}}))
    with pytest.raises(TrainingError, match=r"surroundings\.generated names"):
        run(ready)


def test_adapting_counts_the_surroundings_and_leaves_them_as_they_are(ready):
    run(ready)
    report = adapted(ready)
    assert report["before"]["auroc"] > 0.9  # the tower alone does not tell them apart as well
    before, after = (read_delta(ready / f"{n}.safetensors") for n in ("d", "own"))
    assert len(before.header.surroundings["networks"]) == 1
    kept, now = before.surroundings, after.surroundings
    assert all(torch.equal(kept[name], now[name]) for name in kept)
    assert after.header.surroundings == before.header.surroundings


def test_looks_differ_in_framing_and_quality_and_are_drawn_from_the_seed(ready):
    config = load_config(ready / "t.yaml")
    picture = np.random.default_rng(1).integers(0, 255, (200, 220, 3)).astype(np.uint8)
    looks = [look_around(picture, np.random.default_rng(n), config) for n in range(40)]
    assert len({look.shape for look in looks}) > 10
    assert min(min(look.shape[:2]) for look in looks) >= 70
    assert np.array_equal(looks[3], look_around(picture, np.random.default_rng(3), config))


def test_windows_go_on_where_they_stopped_and_a_broken_picture_has_none(ready):
    rows = folder_rows_of(ready, 600)
    (ready / "599.png").write_bytes(b"no picture")
    cache = WindowCache(ready / "windows", rows, MiddleFinder())

    def stop(what, done, whole, rate):
        if done == 256:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.fill(stop)
    finder = MiddleFinder()
    cache = WindowCache(ready / "windows", rows, finder)
    assert cache.done == 256
    cache.fill(lambda *a: None)
    assert finder.calls == 600 - 256 - 1  # the broken one has no picture to look at
    assert cache.window(599) is None
    assert cache.window(3).shape == (96, 96, 3)


def folder_rows_of(folder, count):
    """Rows of one picture after the other, as a manifest gives them."""
    from assistant.evaluation.face_manifest import read_manifest

    data = (folder / "0.png").read_bytes()
    lines = ["path,label,source,video"]
    for number in range(count):
        path = folder / f"{number}.png"
        if not path.exists():
            path.write_bytes(data)
        lines.append(f"{number}.png,{number % 2},own,v{number}")
    (folder / "own.csv").write_text("\n".join(lines))
    return read_manifest(folder / "own.csv")
