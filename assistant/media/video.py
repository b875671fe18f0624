"""Videos to frames, evenly spaced in time or at given seconds, decoded in memory by PyAV.

No temporary file is written. The container's reader is chosen from the first bytes and named to
FFmpeg, so that playlists and other formats that open further files or addresses are never reached.
"""

from __future__ import annotations

import bisect
import io
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.errors import MediaError, stop_if
from assistant.media.clip import DecodedVideo, spread
from assistant.media.hdr import TRANSFERS, tone_map
from assistant.media.limits import WHOLE, MediaLimits, Span
from assistant.media.sniff import VIDEO_FORMATS
from assistant.types import Image

__all__ = ["decode_video", "frames_at"]

_log = logging.getLogger(__name__)
_MOST_PACKETS = 200_000
_STILLS = frozenset({"mjpeg", "png", "bmp", "gif", "webp"})


def decode_video(
    data: bytes,
    kind: str,
    limits: MediaLimits,
    *,
    span: Span = WHOLE,
    cancel: threading.Event | None = None,
) -> DecodedVideo:
    """Take ``limits.frames`` frames of a video, evenly spaced in time.

    Args:
        data: the file.
        kind: its kind as :func:`assistant.media.sniff.sniff` tells it.
        limits: frames wanted, and pixels and seconds allowed.
        span: only frames of this part of the video.
        cancel: stops the reading.

    Raises:
        MediaError: no picture track, too long, too large, damaged, or nothing in ``span``.
        Cancelled: ``cancel`` was set.
    """
    with _opened(data, kind) as container:
        return _decode(container, limits, span, cancel)


def frames_at(
    data: bytes,
    kind: str,
    limits: MediaLimits,
    seconds: Sequence[float],
    size: tuple[int, int],
    cancel: threading.Event | None = None,
) -> Iterator[tuple[float, Image]]:
    """Read the frames that are shown at some seconds, one after another; none is kept.

    Args:
        data: a file that :func:`decode_video` has read.
        kind: its kind.
        limits: of the pixels.
        seconds: rising; the same frame is never given twice.
        size: width and height that the frames get.
        cancel: stops the reading.

    Raises:
        MediaError: damaged.
        Cancelled: ``cancel`` was set.
    """
    with _opened(data, kind) as container:
        stream = _film(container)
        stream.thread_type, stream.codec_context.thread_count = "AUTO", 2
        times, keys = _index(container, stream)
        base = float(stream.time_base)
        shown = [bisect.bisect_right(times, times[0] + (s + 1e-3) / base) - 1 for s in seconds]
        wanted = [times[i] for i in sorted({max(0, i) for i in shown})]
        picture = _Picture(limits=limits, aspect=_aspect(stream), size=size)
        for time, image in _frames_at(container, stream, wanted, keys, picture, cancel):
            yield round((time - times[0]) * base, 3), image


@contextmanager
def _opened(data: bytes, kind: str) -> Iterator[Any]:
    import av

    try:
        with av.open(
            io.BytesIO(data),
            format=VIDEO_FORMATS[kind],
            options={"protocol_whitelist": "pipe", "enable_drefs": "0"},
            metadata_errors="replace",
        ) as container:
            yield container
    except MediaError:
        raise
    except (av.FFmpegError, ValueError, OSError, EOFError, MemoryError) as error:
        _log.info("a %s file could not be decoded: %s", kind, type(error).__name__)
        raise _broken(kind) from error


def _broken(kind: str = "video") -> MediaError:
    return MediaError(
        f"The file begins like a video ({kind}) but is damaged or cut short.",
        hint="Download or export it again as MP4 (H.264).",
        code="broken-video",
    )


def _decode(
    container: Any, limits: MediaLimits, span: Span, cancel: threading.Event | None
) -> DecodedVideo:
    stream = _film(container)
    width, height = stream.codec_context.width, stream.codec_context.height
    _check_size(width, height, limits)
    stream.thread_type, stream.codec_context.thread_count = "AUTO", 2
    times, keys = _index(container, stream)
    if not times:
        raise MediaError(
            "The picture track of the file holds no frame.",
            hint="Download or export it again as MP4 (H.264).",
            code="broken-video",
        )
    base = float(stream.time_base)
    length = (times[-1] - times[0]) * base
    if length > limits.max_video_seconds:
        raise MediaError(
            f"The video is {length:,.0f} seconds long; at most {limits.max_video_seconds:,.0f} "
            "seconds are read.",
            hint="Cut out the part that matters.",
            code="video-too-long",
        )
    part = _part(times, base, span)
    wanted = [part[i] for i in spread(part, limits.frames)]
    picture = _Picture(limits=limits, aspect=_aspect(stream))
    found = list(_frames_at(container, stream, wanted, keys, picture, cancel))
    if not found:
        raise _broken()
    notes = []
    if len(found) < len(wanted):
        notes.append(f"Only {len(found)} of {len(wanted)} frames of the video could be decoded.")
    if stream.duration and (times[-1] - times[0]) < 0.9 * stream.duration - 1 / base:
        notes.append(
            f"The video breaks off: {length:.1f} of {stream.duration * base:.1f} seconds are there."
        )
    if max(width, height) > limits.max_frame_side:
        notes.append(
            f"The frames ({width} x {height}) were scaled to {limits.max_frame_side} pixels on the "
            "longest side."
        )
    return DecodedVideo(
        frames=tuple(image for _, image in found),
        span=(round((part[0] - times[0]) * base, 3), round((part[-1] - times[0]) * base, 3)),
        seconds=tuple(round((time - times[0]) * base, 3) for time, _ in found),
        tags={str(k)[:60]: str(v)[:4000] for k, v in container.metadata.items()},
        warnings=(*notes, *picture.notes),
    )


def _part(times: list[int], base: float, span: Span) -> list[int]:
    """The times within a part of the video.

    Raises:
        MediaError: no frame is shown in it.
    """
    begin, end = span
    part = [t for t in times if begin - 1e-6 <= (t - times[0]) * base <= (end or 1e9) + 1e-6]
    if part:
        return part
    length = (times[-1] - times[0]) * base
    until = "the end" if end is None else f"{end:g} seconds"
    raise MediaError(
        f"The video has no frame from {begin:g} seconds to {until}; it is {length:.1f} seconds "
        "long.",
        hint="Name a part that lies within it.",
        code="no-such-part",
    )


def _film(container: Any) -> Any:
    """The track that holds the film: not a cover picture, wherever it stands in the file.

    Raises:
        MediaError: there is none, or its encoding has no decoder here.
    """
    import av

    cover = av.stream.Disposition.attached_pic
    tracks = [s for s in container.streams.video if not s.disposition & cover]
    if not tracks:
        what = "sound and a cover picture" if container.streams.video else "no picture track"
        raise MediaError(
            f"The file holds {what}, so there is no film to look at.",
            hint="Give a photo or a video with a picture.",
            code="not-an-image",
        )
    known = [s for s in tracks if s.codec_context]
    if not known:
        raise MediaError(
            "The picture track of the file is encoded in a way that is not read here.",
            hint="Export it as MP4 (H.264).",
            code="unsupported-format",
        )
    # a cover that is not marked as one: a still beside a film
    moving = [s for s in known if s.codec_context.name not in _STILLS]
    return (moving or known)[0]


def _aspect(stream: Any) -> float:
    """How much wider than high a pixel is shown; 1 where the file says nothing sensible."""
    aspect = float(stream.sample_aspect_ratio or 1.0)
    return aspect if 0.2 <= aspect <= 5.0 else 1.0


def _check_size(width: int, height: int, limits: MediaLimits) -> None:
    if width <= 0 or height <= 0:
        raise _broken()
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise MediaError(
            f"The frames of the video are too large: {width:,} x {height:,} pixels; at most "
            f"{limits.max_pixels:,} pixels are decoded.",
            hint="Give a copy at a lower resolution.",
            code="too-many-pixels",
        )


def _index(container: Any, stream: Any) -> tuple[list[int], list[int]]:
    """Times of all frames and of the key frames, in order, read without decoding anything."""
    times, keys = [], []
    for count, packet in enumerate(container.demux(stream)):
        if packet.pts is None or packet.is_corrupt:
            continue
        times.append(int(packet.pts))
        if packet.is_keyframe:
            keys.append(int(packet.pts))
        if count > _MOST_PACKETS:
            raise MediaError(
                f"The video has more than {_MOST_PACKETS:,} frames.",
                hint="Cut out the part that matters.",
                code="video-too-long",
            )
    return sorted(set(times)), sorted(keys)


def _frames_at(
    container: Any,
    stream: Any,
    wanted: Sequence[int],
    keys: Sequence[int],
    picture: _Picture,
    cancel: threading.Event | None,
) -> Iterator[tuple[int, Image]]:
    """Decode from the key frame before each wanted time; never back, never the same frame twice."""
    import av

    decoder: Any = None
    position = -1
    for target in wanted:
        key = bisect.bisect_right(keys, target) - 1
        frame = None
        try:
            if decoder is not None and not (key >= 0 and keys[key] > position):
                frame = _next(decoder, target, cancel)
            else:
                # some containers (MPEG-TS) arrive behind the place that was asked for
                for place in sorted(
                    {keys[max(0, key - back)] if keys else 0 for back in (0, 2)} | {0}, reverse=True
                ):
                    container.seek(place, stream=stream, backward=True)
                    decoder = container.decode(stream)
                    frame = _next(decoder, target, cancel)
                    if frame is not None and frame.pts == target:
                        break
        except av.FFmpegError:  # a damaged stretch: the next key frame may be whole
            decoder = None
            continue
        if frame is not None and int(frame.pts) > position:
            position = int(frame.pts)
            _check_size(frame.width, frame.height, picture.limits)
            yield position, picture.of(frame)


def _next(decoder: Any, target: int, cancel: threading.Event | None) -> Any:
    for frame in decoder:
        stop_if(cancel)
        if _reaches(frame, target):
            return frame
    return None


def _reaches(frame: Any, target: int) -> bool:
    return frame.pts is not None and frame.pts >= target and not frame.is_corrupt


@dataclass(slots=True, kw_only=True)
class _Picture:
    """Frames to RGB as they are shown, at most ``max_frame_side``; later ones sized as the first.

    ``notes`` says what was changed on the way.
    """

    limits: MediaLimits
    aspect: float
    size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    def of(self, frame: Any) -> Image:
        turns = round(float(getattr(frame, "rotation", 0) or 0) / 90) % 4
        width, height = self._size(frame, turns)
        image = np.ascontiguousarray(np.rot90(self._rgb(frame, width, height), turns))
        self.size = self.size or (image.shape[1], image.shape[0])
        image.flags.writeable = False
        return image

    def _size(self, frame: Any, turns: int) -> tuple[int, int]:
        if self.size is not None:
            return self.size if turns % 2 == 0 else self.size[::-1]
        width, height = max(1, round(frame.width * self.aspect)), frame.height
        if width != frame.width:
            self._note(
                f"The pixels of the video are not square: its frames ({frame.width} x {height}) "
                f"are shown as {width} x {height}."
            )
        shrink = min(1.0, self.limits.max_frame_side / max(width, height))
        return max(1, round(width * shrink)), max(1, round(height * shrink))

    def _rgb(self, frame: Any, width: int, height: int) -> Image:
        def pixels(form: str) -> Any:
            return frame.to_ndarray(format=form, width=width, height=height, interpolation="AREA")

        transfer = int(frame.color_trc or 0)
        if transfer in TRANSFERS:
            self._note(
                f"The video is high dynamic range ({TRANSFERS[transfer]}); it was toned down to "
                "what a standard screen shows."
            )
            return tone_map(pixels("rgb48le"), transfer)
        if any(component.is_alpha for component in frame.format.components):
            rgba = pixels("rgba").astype(np.uint16)
            share = rgba[..., 3:]
            if share.min() < 255:
                self._note("Parts of the video are see-through; they were laid on white.")
            laid = (rgba[..., :3] * share + 255 * (255 - share) + 127) // 255
            return np.asarray(laid, np.uint8)
        image: Image = pixels("rgb24")
        return image

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes = (*self.notes, text)
