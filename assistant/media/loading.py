"""The door of the media stage: bytes in, :class:`assistant.types.Media` or a typed error out."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.errors import MediaError
from assistant.media.bars import inner_box
from assistant.media.clip import DecodedVideo
from assistant.media.files import mebibytes
from assistant.media.limits import WHOLE, MediaLimits, Span
from assistant.media.provenance import read_provenance
from assistant.media.sniff import check_kind, is_video
from assistant.types import FrameReader, Image, Media

if TYPE_CHECKING:
    from assistant.media.image import DecodedImage

__all__ = ["load_media"]


def load_media(
    data: bytes,
    limits: MediaLimits | None = None,
    *,
    span: Span = WHOLE,
    cancel: threading.Event | None = None,
) -> Media:
    """Decode a picture or a video, wholly in memory.

    Args:
        data: the file's bytes.
        limits: what is allowed; the defaults of :class:`MediaLimits` where None.
        span: the part of a video to take frames from, in seconds; None: to its end.
        cancel: stops the decoding of a video.

    Returns:
        A picture as one RGB uint8 frame, turned as its orientation tag says, in sRGB, see-through
        parts on white; a video or animation as ``limits.frames`` frames, evenly spaced in time,
        with their seconds. Flat bars at the sides are cut off. ``id`` is the SHA-256 of ``data``.
        ``warnings`` says what was lost or changed on the way.

    Raises:
        MediaError: the file is empty, too large, cut short, or not a picture or video that is read.
            ``code`` is one of ``empty-file``, ``file-too-large``, ``too-many-pixels``,
            ``not-an-image``, ``svg``, ``unsupported-format``,
            ``broken-image``, ``broken-video``, ``video-too-long``, ``no-such-part``.
        Cancelled: ``cancel`` was set.
    """
    limits = limits or MediaLimits()
    kind = check_kind(data)
    allowed = limits.max_video_bytes if is_video(kind) else limits.max_image_bytes
    if len(data) > allowed:
        raise MediaError(
            f"The file has {mebibytes(len(data))}; at most {mebibytes(allowed)} are read.",
            hint="Give a smaller copy: a shorter clip, or the photo at a lower resolution.",
            code="file-too-large",
        )
    decoded = _decoded(data, kind, limits, span, cancel)
    film = decoded if isinstance(decoded, DecodedVideo) else None
    pictures = decoded.frames if isinstance(decoded, DecodedVideo) else (decoded.pixels,)
    box = inner_box(pictures)
    frames, notes = _without_bars(pictures, box)
    height, width = frames[0].shape[:2]
    return Media(
        id=hashlib.sha256(data).hexdigest(),
        kind="image" if film is None else "video",
        frames=frames,
        width=width,
        height=height,
        seconds=(0.0,) if film is None else film.seconds,
        span=(0.0, 0.0) if film is None else film.span,
        further=_further(data, kind, limits, pictures[0], box, cancel) if is_video(kind) else None,
        provenance=read_provenance(data, decoded.tags),
        warnings=(*decoded.warnings, *notes),
    )


def _decoded(
    data: bytes,
    kind: str,
    limits: MediaLimits,
    span: Span,
    cancel: threading.Event | None,
) -> DecodedImage | DecodedVideo:
    if is_video(kind):
        from assistant.media.video import decode_video

        return decode_video(data, kind, limits, span=span, cancel=cancel)
    from assistant.media.image import decode_image

    return decode_image(data, kind, limits)


def _further(
    data: bytes,
    kind: str,
    limits: MediaLimits,
    first: Image,
    box: tuple[int, int, int, int],
    cancel: threading.Event | None,
) -> FrameReader:
    """Reads more frames of a video, sized and cut as the first ones are."""
    height, width = first.shape[:2]

    def read(seconds: Sequence[float]) -> Iterator[tuple[float, Image]]:
        from assistant.media.video import frames_at

        for at, frame in frames_at(data, kind, limits, seconds, (width, height), cancel):
            yield at, _cut(frame, box)

    return read


def _cut(frame: Image, box: tuple[int, int, int, int]) -> Image:
    x0, y0, x1, y1 = box
    if (x0, y0, x1, y1) == (0, 0, frame.shape[1], frame.shape[0]):
        return frame
    part = np.ascontiguousarray(frame[y0:y1, x0:x1])
    part.flags.writeable = False
    return part


def _without_bars(
    frames: tuple[Image, ...], box: tuple[int, int, int, int]
) -> tuple[tuple[Image, ...], tuple[str, ...]]:
    """The frames without the flat bars at their sides, and a note where there were any."""
    height, width = frames[0].shape[:2]
    x0, y0, x1, y1 = box
    if (x0, y0, x1, y1) == (0, 0, width, height):
        return frames, ()
    note = (
        f"Flat bars around the picture were left out: {x1 - x0} x {y1 - y0} of {width} x {height} "
        f"pixels are judged, from ({x0}, {y0})."
    )
    return tuple(_cut(frame, box) for frame in frames), (note,)
