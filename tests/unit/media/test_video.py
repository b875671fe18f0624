import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import MediaError
from assistant.media import MediaLimits, load_media
from tests.unit.media.videos import encoded_sound, encoded_video

RAMP = [20 + 5 * i for i in range(40)]


def level(frame: np.ndarray) -> float:
    return float(frame[24:, 32:].mean())


@pytest.mark.parametrize(
    ("form", "codec"),
    [
        ("mp4", "mpeg4"),
        ("mov", "mpeg4"),
        ("matroska", "mpeg4"),
        ("avi", "mpeg4"),
        ("webm", "libvpx"),
    ],
)
def test_containers_give_evenly_spaced_frames_with_their_seconds(form, codec):
    media = load_media(encoded_video(RAMP, form=form, codec=codec), MediaLimits(frames=8))
    assert media.kind == "video"
    assert len(media.frames) == 8
    assert (media.width, media.height) == (64, 48)
    places = [int((i + 0.5) * 5) for i in range(8)]
    assert np.allclose([level(f) for f in media.frames], [RAMP[p] for p in places], atol=6)
    assert np.allclose(media.seconds, [p / 10 for p in places], atol=0.06)
    assert media.warnings == ()


def test_frames_are_the_same_whether_key_frames_are_many_or_few():
    many = load_media(encoded_video(RAMP, keys_every=1)).frames
    few = load_media(encoded_video(RAMP, keys_every=100)).frames
    assert np.allclose([level(f) for f in many], [level(f) for f in few], atol=6)


def test_a_video_shorter_than_the_wanted_frames_gives_each_once():
    media = load_media(encoded_video([50, 100, 150]))
    assert [round(level(f), -1) for f in media.frames] == [50, 100, 150]
    assert len(set(media.seconds)) == 3


def test_frames_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        load_media(encoded_video([50])).frames[0][0, 0, 0] = 1


def test_large_frames_are_scaled_down_and_told():
    media = load_media(encoded_video(RAMP), MediaLimits(max_frame_side=32, frames=2))
    assert media.frames[0].shape == (24, 32, 3)
    assert any("scaled" in w for w in media.warnings)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"max_video_seconds": 2.0}, "video-too-long"),
        ({"max_pixels": 64 * 48 - 1}, "too-many-pixels"),
        ({"max_side": 63}, "too-many-pixels"),
        ({"max_video_bytes": 100}, "file-too-large"),
    ],
)
def test_limits_hold(limits, code):
    with pytest.raises(MediaError) as caught:
        load_media(encoded_video(RAMP), MediaLimits(**limits))
    assert caught.value.code == code
    assert caught.value.hint


def test_sound_alone_is_not_a_video():
    with pytest.raises(MediaError, match="no picture track") as caught:
        load_media(encoded_sound())
    assert caught.value.code == "not-an-image"


def test_a_video_without_its_index_is_broken():
    data = encoded_video(RAMP)  # the index comes last here
    with pytest.raises(MediaError, match="damaged or cut short") as caught:
        load_media(data[: len(data) // 2])
    assert caught.value.code == "broken-video"


def test_a_video_that_breaks_off_is_read_up_to_there_and_told():
    data = encoded_video([20 + (i % 200) for i in range(120)], faststart=True)
    media = load_media(data[: int(len(data) * 0.6)])
    assert any("breaks off" in w or "could be decoded" in w for w in media.warnings)
    assert media.seconds[-1] < 9


def test_noise_in_the_middle_never_raises_anything_else():
    whole = encoded_video(RAMP, faststart=True)
    rng = np.random.default_rng(4)
    for _ in range(25):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 60):
            data[place] = int(rng.integers(256))
        with contextlib.suppress(MediaError):
            assert load_media(bytes(data)).frames


def test_a_playlist_named_mp4_opens_no_other_file(tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(encoded_video([50, 60]))
    playlist = f"ffconcat version 1.0\nfile '{secret}'\n".encode()
    with pytest.raises(MediaError) as caught:
        load_media(playlist)
    assert caught.value.code == "not-an-image"
    disguised = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41" + playlist
    with pytest.raises(MediaError) as caught:
        load_media(disguised)
    assert caught.value.code == "broken-video"


def test_nothing_is_written_to_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    load_media(encoded_video(RAMP))
    assert list(Path(tmp_path).iterdir()) == []
