import io

import numpy as np
from PIL import Image

from assistant.overlay import blend, heat_rgba, outline_rgba, png_bytes


def test_little_weight_is_clear_and_much_is_bright() -> None:
    ramp = np.linspace(0, 1, 101, dtype=np.float32)[None, :]
    rgba = heat_rgba(ramp)[0]
    assert rgba[0, 3] == 0
    assert rgba[-1, 3] == 255
    luma = rgba[:, :3] @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luma) > 0).all()


def test_a_blend_lies_between_crop_and_map() -> None:
    crop = np.full((8, 8, 3), 100, np.uint8)
    hot = np.ones((8, 8), np.float32)
    assert (blend(crop, hot, 0.0) == crop).all()
    assert (blend(crop, hot, 1.0) == heat_rgba(hot)[..., :3]).all()
    assert (blend(crop, np.zeros((8, 8), np.float32), 1.0) == crop).all()
    assert (crop == 100).all()


def test_an_outline_follows_the_rim_and_leaves_the_rest_clear() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    rim = outline_rgba(mask, width=2)
    assert (rim[20, 20] == 0).all()
    assert (rim[0, 0] == 0).all()
    assert tuple(rim[10, 20]) == (255, 255, 255, 255)
    assert rim[9, 20, 3] == 190
    assert rim[7, 20, 3] == 0


def test_png_bytes_carry_no_metadata() -> None:
    picture = Image.open(io.BytesIO(png_bytes(np.zeros((4, 4, 3), np.uint8))))
    assert picture.info == {}
