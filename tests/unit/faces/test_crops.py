import numpy as np
import pytest

from assistant.errors import InferenceError
from assistant.faces import make_face
from assistant.faces.fixed import FixedFaceFinder
from assistant.types import CropSpec, Detection
from tests.unit.faces.scenes import astronaut, detection


def test_a_face_carries_its_crop_and_how_to_get_back():
    spec = CropSpec(size=224, scale=0.95, shift_y=-0.13)
    face = make_face(astronaut(), detection(), spec, media_id="m", index=2, frame_index=3)
    assert face.crop.shape == (224, 224, 3)
    assert (face.media_id, face.index, face.frame_index) == ("m", 2, 3)
    assert face.crop_spec is spec
    assert face.crop_landmarks.min() > 0
    assert face.crop_landmarks.max() < 224
    assert face.quality == ()


def test_points_on_one_spot_are_a_typed_error():
    flat = Detection(
        box_xyxy=(0, 0, 9, 9), landmarks=np.full((5, 2), 4, np.float32), confidence=0.9
    )
    with pytest.raises(InferenceError, match="Face 1 cannot be aligned") as caught:
        make_face(astronaut(), flat, CropSpec(), media_id="m", index=0, frame_index=0)
    assert caught.value.code == "no-alignment"


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (0, 0, 1.1, 1), (0.2, 0.9, 0.4, 0.1)])
def test_a_fixed_finder_takes_only_boxes_inside_the_picture(box):
    with pytest.raises(ValueError, match="expected 0 <= x0"):
        FixedFaceFinder([box])


def test_a_fixed_finder_reports_what_it_was_given():
    found = FixedFaceFinder([(0, 0, 0.5, 0.5), (0.5, 0.5, 1, 1)], confidence=0.8).find(
        np.zeros((100, 200, 3), np.uint8)
    )
    assert [d.box_xyxy for d in found] == [(0, 0, 100, 50), (100, 50, 200, 100)]
    assert [round(d.confidence, 2) for d in found] == [0.8, 0.79]
    assert FixedFaceFinder([]).find(np.zeros((9, 9, 3), np.uint8)) == ()
