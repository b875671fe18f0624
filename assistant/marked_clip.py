"""A clip with its people marked: boxes by verdict, names of lanes, the time; encoded in memory."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import cv2
import numpy as np

from assistant.errors import MediaError, stop_if
from assistant.evidence import clock, percent
from assistant.media import MediaLimits, Span, load_media
from assistant.overlay import VERDICT_COLOURS
from assistant.types import FaceAnalysis, Image, Timeline

__all__ = ["marked_clip", "marked_frame"]

_RATE = 25  # frames a second at most
_SIDE = 1280  # longest side in pixels
_CRF = "23"
_TICK = Fraction(1, 1000)
_GREY = (96, 92, 86)
_NOTE = "A detector's score, not a proof"
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def marked_clip(
    data: bytes,
    people: Sequence[FaceAnalysis],
    limits: MediaLimits | None = None,
    *,
    demo: bool = False,
    cancel: threading.Event | None = None,
) -> bytes:
    """The part of a clip that was looked at as MP4 (H.264, no sound), its people marked.

    Frames are read, marked and encoded one after another: the memory does not grow with the length.
    Between two frames that were scored a box moves evenly and the nearer one's score is shown.

    Args:
        data: the clip's file.
        people: as they were analysed; those without a timeline are left out.
        limits: what was allowed when it was analysed.
        demo: say in every frame that a fake took part.
        cancel: stops it.

    Raises:
        MediaError: it is no clip (``no-clip``), or cannot be read.
        Cancelled: ``cancel`` was set.
    """
    lanes = [(person.face.index, person.timeline) for person in people if person.timeline]
    if not lanes:
        raise MediaError(
            "There is no person over time in this file, so there is no clip to mark.",
            hint="Give a clip in which a face is seen in two frames or more.",
            code="no-clip",
        )
    span = (lanes[0][1].begin, lanes[0][1].end)
    frames = _frames(data, limits or MediaLimits(), span, cancel)
    return _encoded(_marked(frames, lanes, demo, cancel))


def marked_frame(
    frame: Image,
    seconds: float,
    lanes: Sequence[tuple[int, Timeline]],
    *,
    side: int = _SIDE,
    demo: bool = False,
) -> Image:
    """A copy of a frame, RGB uint8, with each person's box and name, verdict and time.

    ``lanes``: numbers of people, from 0, and their timelines; the copy is ``side`` pixels long or
    less.
    """
    height, width = frame.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2))
    out = np.ascontiguousarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
    unit = max(out.shape[:2]) / 1280
    for index, timeline in lanes:
        moment, box = timeline.nearest(seconds), timeline.box_at(seconds)
        if box is None:
            continue
        colour = VERDICT_COLOURS[moment.verdict] if moment.judged else _GREY
        said = moment.verdict.words if moment.judged else "not judged"
        x0, y0, x1, y1 = (round(v * scale) for v in box)
        cv2.rectangle(out, (x0, y0), (x1, y1), (255, 255, 255), max(3, round(5 * unit)))
        cv2.rectangle(out, (x0, y0), (x1, y1), colour, max(2, round(3 * unit)))
        text = f"Person {index + 1}: {said}, {percent(moment.probability)}"
        _label(out, text, (x0, y0), colour, unit)
    foot = f"{clock(seconds)}   {'Demo, not an analysis' if demo else _NOTE}"
    _label(out, foot, (0, out.shape[0]), (31, 30, 28), unit)
    return out


def _frames(
    data: bytes, limits: MediaLimits, span: Span, cancel: threading.Event | None
) -> Iterator[tuple[float, Image]]:
    """The frames of a part, at most ``_RATE`` a second; of an animation those that were read."""
    first = load_media(data, limits, span=span, cancel=cancel)
    if first.further is None:
        yield from zip(first.seconds, first.frames, strict=True)
        return
    read, (begin, end) = first.further, first.span
    del first
    yield from read([*np.arange(begin, end, 1 / _RATE), end])


def _marked(
    frames: Iterable[tuple[float, Image]],
    lanes: Sequence[tuple[int, Timeline]],
    demo: bool,
    cancel: threading.Event | None,
) -> Iterator[tuple[float, Image]]:
    for seconds, frame in frames:
        stop_if(cancel)
        yield seconds, marked_frame(frame, seconds, lanes, demo=demo)


def _label(
    out: Image, text: str, corner: tuple[int, int], colour: tuple[int, int, int], unit: float
) -> None:
    """White text on a colour, its lower left corner at ``corner``, kept inside the frame."""
    size, weight = max(0.4, 0.75 * unit), max(1, round(1.6 * unit))
    (width, height), below = cv2.getTextSize(text, _FONT, size, weight)
    edge = max(3, round(6 * unit))
    tall = height + below + 2 * edge
    x = int(np.clip(corner[0], 0, max(0, out.shape[1] - width - 2 * edge)))
    y = int(np.clip(corner[1], tall, out.shape[0]))
    cv2.rectangle(out, (x, y - tall), (x + width + 2 * edge, y), colour, -1)
    at = (x + edge, y - edge - below)
    cv2.putText(out, text, at, _FONT, size, (255, 255, 255), weight, cv2.LINE_AA)


def _encoded(frames: Iterable[tuple[float, Image]]) -> bytes:
    """Frames of one size, with the second each is shown at, as MP4."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as film:
        stream, start, last = None, 0.0, -1
        for seconds, frame in frames:
            if stream is None:
                stream = film.add_stream(
                    "libx264", rate=_RATE, options={"crf": _CRF, "preset": "veryfast"}
                )
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.time_base = _TICK
                start = seconds
            picture = av.VideoFrame.from_ndarray(frame, "rgb24")
            last = max(last + 1, round((seconds - start) * 1000))
            picture.pts, picture.time_base = last, _TICK
            film.mux(stream.encode(picture))
        if stream is not None:
            film.mux(stream.encode())
    return out.getvalue()
