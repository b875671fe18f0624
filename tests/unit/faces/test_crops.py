import numpy as np
import pytest

from assistant.errors import InferenceError
from assistant.faces import make_face
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
