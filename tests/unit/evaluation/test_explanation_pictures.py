"""Pictures made for explanations: many kinds, the same each time, changed where they say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from assistant.evaluation import explanation_pictures
from assistant.evaluation.explanation_pictures import MadePicture, made_pictures
from assistant.types import Detection, Image

POINTS = np.array([[80, 90], [140, 90], [110, 125], [88, 155], [132, 155]], np.float32)


class Finds:
    name = "finds"

    def __init__(self, count: int = 1) -> None:
        self.count = count

    def find(self, image: Image) -> tuple[Detection, ...]:
        one = Detection(box_xyxy=(50, 40, 170, 190), landmarks=POINTS, confidence=0.9)
        return (one,) * self.count

    def provenance(self) -> dict[str, str]:
        return {}


@pytest.fixture(autouse=True)
def portrait(monkeypatch: pytest.MonkeyPatch) -> Image:
    picture = np.random.default_rng(0).integers(30, 220, (220, 220, 3), dtype=np.uint8)
    monkeypatch.setattr(explanation_pictures, "shipped_pictures", lambda: [("drawn", picture)])
    return picture


def decoded(made: MadePicture) -> Image:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(made.data, np.uint8), 1), cv2.COLOR_BGR2RGB)


def test_as_many_as_asked_for_all_named_and_made_alike_each_time(portrait: Image) -> None:
    made = made_pictures(Finds(), count=20)

    assert len({m.name for m in made}) == 20
    assert made == made_pictures(Finds(), count=20)
    assert made != made_pictures(Finds(), count=20, seed=1)
    assert (decoded(made[0]) == portrait).all()
    assert made[0].region == ""
    assert {m.region for m in made if m.region} == {"mouth", "nose", "left eye", "right eye"}
    assert sum(bool(m.region) for m in made) == 10


def test_only_the_named_region_is_changed(portrait: Image) -> None:
    mouth = next(m for m in made_pictures(Finds(), count=9) if m.region == "mouth")
    changed = np.abs(decoded(mouth).astype(int) - portrait).max(axis=2) > 8
    rows, columns = np.nonzero(changed)

    assert changed.any()
    assert rows.min() > 125
    assert rows.max() < 185
    assert columns.min() > 65
    assert columns.max() < 155


def test_portraits_without_a_face_are_left_out() -> None:
    assert made_pictures(Finds(0), count=5) == []
