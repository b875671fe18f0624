"""Odd clips through the whole flow: a typed answer or an honest result each, and Stop stops."""

from __future__ import annotations

import io
import tempfile
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from assistant.events import Done, Event, Failed, NoFace, Progress
from assistant.fakes import demo_assistant
from tests.drawn import drawn_faces
from tests.unit.media.videos import encoded_sound

SIZE = (480, 360)


def clip(
    picture: Callable[[int], np.ndarray], count: int = 40, *, rate: int = 10, step: int = 1
) -> bytes:
    """An MP4 of ``count`` pictures, ``step`` ticks of 1 / ``rate`` seconds apart."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = picture(0).shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.bit_rate = 4_000_000
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture(number)), "rgb24")
            frame.pts, frame.time_base = number * step, Fraction(1, rate)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return out.getvalue()


def nothing(number: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), (90, 100, 110), np.uint8)


def one(number: int) -> np.ndarray:
    return drawn_faces(1, size=SIZE)


def film_of_8k(number: int) -> np.ndarray:
    return np.kron(one(number), np.ones((16, 16, 1), np.uint8))


def moving_scene(number: int) -> np.ndarray:
    """A face that stays where it is before stripes that move."""
    picture = one(0).copy()
    grey = (picture == (90, 100, 110)).all(2)
    stripes = (np.arange(SIZE[0])[None, :] + 9 * number) // 24 % 2 * 60 + 40
    picture[grey] = np.broadcast_to(stripes, grey.shape)[grey][:, None].astype(np.uint8)
    return picture


def slideshow(number: int) -> np.ndarray:
    """Another picture every ten frames, with and without a face."""
    shade = (number // 10) % 3
    return nothing(0) if shade == 1 else np.roll(one(0), 60 * shade, axis=1)


def halves(number: int) -> np.ndarray:
    """A face and its mirror image, side by side."""
    left = drawn_faces(1, size=(SIZE[0] // 2, SIZE[1]))
    return np.hstack([left, left[:, ::-1]])


def call(number: int) -> np.ndarray:
    """Nine faces of a video call, three by three."""
    row = drawn_faces(3, size=(720, 240))
    return np.vstack([row] * 3)


def cut_short(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def corrupt_index(data: bytes) -> bytes:
    place = data.rindex(b"stco")
    return data[:place] + b"\xff" * 24 + data[place + 24 :]


REFUSED = {
    "no frames": (lambda: clip(one, 2)[:40], "broken-video"),
    "audio only": (encoded_sound, "not-an-image"),
    "corrupt index": (lambda: corrupt_index(clip(one, 12)), "broken-video"),
    "cut short": (lambda: cut_short(clip(one)), "broken-video"),
    "three hours": (lambda: clip(one, 12, step=9000), "video-too-long"),
}
#: How many people there are. Who was gone comes back as the same person by their looks only, and
#: the demo's detector shows none: so a slideshow has two.
JUDGED = {
    "one frame": (lambda: clip(one, 1), 1),
    "8K": (lambda: clip(film_of_8k, 2), 1),
    "slideshow": (lambda: clip(slideshow), 2),
    "still face in a moving scene": (lambda: clip(moving_scene), 1),
    "mirrored halves": (lambda: clip(halves), 2),
    "nine faces": (lambda: clip(call, 6), 8),
}


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the temporary one, and empty after every test."""
    folder = tmp_path / "disk"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.chdir(folder)
    return folder


def told(data: bytes, **how: object) -> Event:
    assistant = demo_assistant()
    return list(assistant.analyze(data, explain=False, causal=False, fragility=False, **how))[-1]


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_code_and_nothing_is_left_on_disk(name: str, disk: Path) -> None:
    make, code = REFUSED[name]
    data = make()
    for left in disk.iterdir():
        left.unlink()
    end = told(data)

    assert isinstance(end, Failed), end
    assert end.error.code == code
    assert end.error.hint
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize("name", JUDGED)
def test_it_is_judged_by_person_and_told_honestly(name: str, disk: Path) -> None:
    make, people = JUDGED[name]
    end = told(make())

    assert isinstance(end, Done), end
    assert len(end.analysis.faces) == people
    assert any("sound" in warning for warning in end.analysis.warnings)
    for face in end.analysis.faces:
        assert 0.0 <= face.score.probability <= 1.0
        if face.timeline is not None:
            seen = [m.seconds for m in face.timeline.moments]
            assert not any(a < s < b for s in seen for a, b in face.timeline.absent)
    assert list(disk.iterdir()) == []


def test_of_nine_people_the_eight_most_prominent_are_judged_and_that_is_said() -> None:
    end = told(clip(call, 6))

    assert any("8" in w and "most prominent" in w for w in end.analysis.warnings)


def test_a_clip_without_a_face_has_no_score() -> None:
    assert isinstance(told(clip(nothing, 12)), NoFace)


def test_a_part_outside_the_clip_is_refused() -> None:
    end = told(clip(one, 20), span=(30.0, 40.0))

    assert isinstance(end, Failed)
    assert end.error.code == "no-such-part"


def test_only_the_part_that_is_asked_for_is_looked_at() -> None:
    end = told(clip(one), span=(1.0, 2.0))
    (face,) = end.analysis.faces

    assert all(1.0 <= m.seconds <= 2.0 for m in face.timeline.moments)


def test_a_person_that_is_not_there_is_refused() -> None:
    end = told(clip(one, 6), person=3)

    assert isinstance(end, Failed)
    assert end.error.code == "no-such-person"


def test_stop_ends_the_analysis_within_a_second() -> None:
    cancel = threading.Event()
    stopped = None
    for event in demo_assistant().analyze(clip(call), explain=False, cancel=cancel):
        if isinstance(event, Progress) and event.done == 2 and stopped is None:
            cancel.set()
            stopped = time.monotonic()
        last = event

    assert isinstance(last, Failed)
    assert last.error.code == "cancelled"
    assert stopped is not None
    assert time.monotonic() - stopped < 1.0


def test_stop_ends_a_probe_before_the_next_crops() -> None:
    cancel = threading.Event()

    def probe(result, detector, calibrator):
        cancel.set()
        detector.logits([np.full_like(result.face.crop, shade) for shade in range(40)])
        raise AssertionError("it went on")

    last = [*demo_assistant(causal=probe).analyze(clip(one, 4), explain=False, cancel=cancel)][-1]

    assert isinstance(last, Failed)
    assert last.error.code == "cancelled"


def test_progress_tells_the_time_left() -> None:
    events = demo_assistant().analyze(clip(one), explain=False, causal=False, fragility=False)
    left = [e.seconds_left for e in events if isinstance(e, Progress) and e.stage == "people"]

    assert left[0] is None
    assert all(seconds is not None and seconds >= 0 for seconds in left[2:])
