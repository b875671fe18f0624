import numpy as np
import pytest

from assistant.media import load_media
from assistant.media.bars import inner_box
from tests.unit.faces.scenes import astronaut
from tests.unit.media.pictures import encoded
from tests.unit.media.videos import encoded_video


def framed(picture: np.ndarray, top=0, bottom=0, left=0, right=0, colour=(0, 0, 0)) -> np.ndarray:
    height, width = picture.shape[:2]
    whole = np.full((height + top + bottom, width + left + right, 3), colour, np.uint8)
    whole[top : top + height, left : left + width] = picture
    return whole


@pytest.mark.parametrize(
    "bars",
    [
        {"top": 100, "bottom": 100},
        {"top": 30},
        {"left": 80, "right": 60},
        {"top": 90, "bottom": 90, "left": 40, "right": 40, "colour": (240, 240, 240)},
        {"top": 70, "bottom": 20, "colour": (20, 90, 40)},
    ],
)
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_bars_are_left_out_and_told(bars, form):
    media = load_media(encoded(framed(astronaut(), **bars), form))
    assert np.abs(np.array([media.height, media.width]) - 512).max() <= (1 if form == "PNG" else 8)
    assert any("bars" in w for w in media.warnings)
    if form == "PNG":
        assert np.array_equal(media.frames[0], astronaut())


def test_a_clock_in_a_bar_does_not_hide_it():
    screen = framed(astronaut(), top=80, bottom=80)
    screen[20:40, 20:70] = 255
    assert inner_box([screen]) == (0, 80, 512, 592)


def test_a_plain_background_is_no_bar():
    head = np.full((400, 400, 3), 255, np.uint8)
    y, x = np.mgrid[0:400, 0:400]
    head[((x - 200) / 90) ** 2 + ((y - 230) / 120) ** 2 < 1] = (200, 150, 120)
    assert inner_box([head]) == (0, 0, 400, 400)
    assert inner_box([astronaut()]) == (0, 0, 512, 512)


@pytest.mark.parametrize("level", [0, 255])
def test_a_flat_picture_is_kept(level):
    assert inner_box([np.full((90, 120, 3), level, np.uint8)]) == (0, 0, 120, 90)


def test_only_bars_that_all_frames_share_are_left_out():
    narrow, wide = framed(astronaut(), top=40), framed(astronaut()[30:], top=70)
    assert inner_box([wide, narrow]) == (0, 40, 512, 552)


def test_a_clip_without_bars_keeps_its_size():
    media = load_media(encoded_video([20, 200, 90]))
    assert (media.width, media.height) == (64, 48)
