"""Clips of kinds that phones, recorders and television make."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from assistant.errors import MediaError
from assistant.media import MediaLimits, load_media
from assistant.media.hdr import tone_map
from tests.unit.media.videos import encoded_video


def clip(form: str, codec: str, times=range(12), *, levels=None, still=False, aspect=None) -> bytes:
    """A clip of flat greys, each shown from its time (in tenths of a second)."""
    data = io.BytesIO()
    with av.open(data, "w", format=form) as container:
        streams = [container.add_stream("mjpeg", rate=10)] if still else []
        streams.append(container.add_stream(codec, rate=10))
        for stream in streams:
            stream.width, stream.height = 96, 96
            stream.pix_fmt = "yuvj420p" if stream.codec_context.name == "mjpeg" else "yuv420p"
        film = streams[-1]
        film.codec_context.time_base = Fraction(1, 10)
        if aspect:
            film.codec_context.sample_aspect_ratio = aspect
        if still:
            red = np.zeros((96, 96, 3), np.uint8) + np.uint8([255, 0, 0])
            frame = av.VideoFrame.from_ndarray(red, "rgb24")
            container.mux([*streams[0].encode(frame), *streams[0].encode()])
        for number, time in enumerate(times):
            level = (levels or [20 + 15 * i for i in range(99)])[number]
            pixels = np.full((96, 96, 3), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            container.mux(film.encode(frame))
        container.mux(film.encode())
    return data.getvalue()


@pytest.mark.parametrize(
    ("form", "codec"),
    [("mpegts", "mpeg2video"), ("asf", "wmv2"), ("flv", "flv"), ("ogg", "libvpx")],
)
def test_further_containers_are_read(form, codec):
    media = load_media(clip(form, codec), MediaLimits(frames=6))
    assert media.kind == "video"
    assert len(media.frames) == 6
    assert media.seconds[-1] > 0.8


def test_frames_are_spaced_by_time_and_not_by_number():
    times = [*range(0, 80, 10), *range(80, 100)]  # eight in eight seconds, twenty in two
    media = load_media(clip("mp4", "mpeg4", times, levels=[99] * 28), MediaLimits(frames=10))
    assert sum(second < 8.0 for second in media.seconds) >= 7


def test_a_still_that_comes_first_is_not_the_film():
    media = load_media(clip("matroska", "mpeg4", still=True))
    assert len(media.frames) == 12
    assert np.ptp(media.frames[0].mean((0, 1))) < 8  # grey, and not the red cover


def test_pixels_that_are_not_square_are_stretched_and_told():
    media = load_media(clip("matroska", "mpeg4", aspect=Fraction(4, 3)))
    assert (media.width, media.height) == (128, 96)
    assert any("not square" in w for w in media.warnings)


def test_a_long_clip_is_told_before_it_is_decoded():
    data = clip("matroska", "mpeg4", [0, 108_000])  # three hours
    with pytest.raises(MediaError) as caught:
        load_media(data)
    assert caught.value.code == "video-too-long"


def test_one_frame_is_a_clip():
    assert len(load_media(encoded_video([90])).frames) == 1


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_toned_down_to_a_rising_scale_that_ends_in_white(transfer):
    ramp = np.repeat(np.linspace(0, 65535, 256)[None, :, None], 3, 2).astype(np.uint16)
    shown = tone_map(ramp, transfer)[0].astype(int)
    assert (np.diff(shown, axis=0) >= 0).all()
    assert shown[0].max() == 0
    assert shown[-1].min() >= 250
    white = round(255 * (0.58 if transfer == 16 else 0.75))  # 203 cd/m2, where SDR white belongs
    assert 200 < shown[white].min() <= 250
    assert np.ptp(shown, axis=1).max() <= 2  # grey stays grey
