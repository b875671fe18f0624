from dataclasses import replace

import cv2
import numpy as np
import pytest

from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import read_manifest
from assistant.evaluation.framing import framing_table, tight_crop
from assistant.fakes import FlatCalibrator
from assistant.scoring import Scorer
from assistant.types import CropSpec, Detection


class MarkedFinder:
    """Finds a bright square as a face; its points lie inside it."""

    def find(self, image):
        rows, columns = np.nonzero(image[..., 0] > 200)
        if len(rows) < 100:
            return ()
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        places = np.array([[0.3, 0.3], [0.7, 0.3], [0.5, 0.5], [0.35, 0.75], [0.65, 0.75]])
        points = places * (box[2] - box[0], box[3] - box[1]) + box[:2]
        return (
            Detection(
                box_xyxy=tuple(float(v) for v in box),
                landmarks=points.astype(np.float32),
                confidence=1.0,
            ),
        )


class Brightness:
    """Scores how bright the crop is: its rim if the face does not fill it."""

    def __init__(self, scale):
        self.crop_spec = CropSpec(size=56, scale=scale)

    def logits(self, crops):
        return np.array([c.mean() / 50.0 for c in crops])


def scorer(scale):
    return Scorer(detector=Brightness(scale), calibrator=FlatCalibrator())


@pytest.fixture
def rows(tmp_path):
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[60:140, 50:130] = 230
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    cv2.imwrite(str(tmp_path / "none.png"), np.zeros((64, 64, 3), np.uint8))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    lines = ["path,label", "a.png,0", "none.png,0", "broken.png,0"]
    (tmp_path / "m.csv").write_text("\n".join(lines))
    return read_manifest(tmp_path / "m.csv")


def test_a_detector_that_sees_only_the_face_does_not_mind_the_frame(rows):
    inside = framing_table(rows, MarkedFinder(), scorer(0.4))
    assert inside["n"] == 1
    assert inside["margins"]["0.0"]["median"] < 0.01
    assert inside["margins"]["0.0"]["within"] == 1.0


def test_a_detector_that_sees_the_rim_does(rows):
    wide = framing_table(rows, MarkedFinder(), scorer(2.0))
    assert wide["margins"]["0.0"]["median"] > 0.05 > wide["margins"]["0.0"]["within"]


def test_pictures_without_a_frame_are_no_measure(rows):
    crops = [replace(row, crop=True) for row in rows]
    with pytest.raises(TrainingError, match="not face crops"):
        framing_table(crops, MarkedFinder(), scorer(1.0))


def test_a_margin_ends_at_the_border():
    frame = np.zeros((100, 80, 3), np.uint8)
    points = np.zeros((5, 2), np.float32)
    face = Detection(box_xyxy=(10.0, 20.0, 50.0, 70.0), landmarks=points, confidence=1.0)
    assert tight_crop(frame, face, 0.0).shape == (50, 40, 3)
    assert tight_crop(frame, face, 0.5).shape == (95, 70, 3)
