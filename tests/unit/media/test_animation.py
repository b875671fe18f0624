import io

import numpy as np
import pytest
from PIL import Image

from assistant.media import MediaLimits, load_media
from assistant.media.clip import spread
from tests.unit.media.pictures import gradient


def animation(form: str, frames, **options) -> bytes:
    buffer = io.BytesIO()
    first, *others = [Image.fromarray(frame) for frame in frames]
    lossless = {"lossless": True} if form == "WEBP" else {}
    first.save(buffer, form, save_all=True, append_images=others, **lossless, **options)
    return buffer.getvalue()


def flat(level: int) -> np.ndarray:
    return np.full((48, 64, 3), level, np.uint8)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_whose_first_frame_is_empty_is_a_clip(form):
    media = load_media(animation(form, [flat(255), gradient()], duration=200))
    assert media.kind == "video"
    assert media.seconds == (0.0, 0.2)
    assert media.frames[0].min() > 250
    assert np.abs(media.frames[1].astype(float) - gradient()).mean() < 16  # GIF has 256 colours


def test_frames_are_taken_by_time():
    shown = [2000] + [40] * 30  # one frame for two seconds, thirty in 1.2
    data = animation("GIF", [flat(8 * i) for i in range(31)], duration=shown)
    media = load_media(data, MediaLimits(frames=8))
    assert len(media.frames) == 8
    assert media.seconds[0] == 0.0
    assert media.seconds[1] >= 2.0


def test_frames_without_a_time_are_shown_as_browsers_do():
    media = load_media(animation("GIF", [flat(0), flat(99)], duration=0))
    assert media.seconds == (0.0, 0.1)


def test_pages_and_single_frames_are_pictures():
    assert load_media(animation("TIFF", [flat(1), flat(2)])).kind == "image"
    assert load_media(animation("GIF", [flat(1)])).kind == "image"


def test_of_very_many_pixels_only_the_first_frames_are_read(monkeypatch):
    monkeypatch.setattr("assistant.media.animation._MOST_PIXELS", 64 * 48 * 5)
    media = load_media(animation("GIF", [flat(8 * i) for i in range(12)], duration=100))
    assert len(media.frames) == 5
    assert any("first 5 were read" in w for w in media.warnings)


def test_spread_is_even_in_time_and_always_gives_as_many_as_there_are():
    even = list(range(40))
    assert spread(even, 8) == [2, 7, 12, 17, 22, 27, 32, 37]
    slow_then_fast = [float(i) for i in range(9)] + [8 + i / 100 for i in range(1, 101)]
    chosen = spread(slow_then_fast, 16)
    assert len(chosen) == len(set(chosen)) == 16
    assert sum(i < 9 for i in chosen) >= 8
    assert spread([3.0], 5) == [0]
