"""Videos to evenly spaced frames, decoded in memory by PyAV: no temporary file is written.

The container's reader is chosen from the first bytes and named to FFmpeg, so that playlists and
other formats that open further files or addresses are never reached.
"""

from __future__ import annotations

import bisect
import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assistant.errors import MediaError
from assistant.media.limits import MediaLimits
from assistant.media.sniff import VIDEO_FORMATS
from assistant.types import Image

__all__ = ["DecodedVideo", "decode_video"]

_log = logging.getLogger(__name__)
_MOST_PACKETS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedVideo:
    """Frames (RGB uint8 HWC, read-only, all of one size) and the second each is shown at."""

    frames: tuple[Image, ...]
    seconds: tuple[float, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def decode_video(data: bytes, kind: str, limits: MediaLimits) -> DecodedVideo:
    """Take ``limits.frames`` evenly spaced frames of a video.

    Args:
        data: the file.
        kind: its kind as :func:`assistant.media.sniff.sniff` tells it.
        limits: frames wanted, and pixels and seconds allowed.

    Raises:
        MediaError: no picture track, too long, too large, or damaged.
    """
    import av

    try:
        with av.open(
            io.BytesIO(data),
            format=VIDEO_FORMATS[kind],
            options={"protocol_whitelist": "pipe", "enable_drefs": "0"},
            metadata_errors="replace",
        ) as container:
            return _decode(container, limits)
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


def _decode(container: Any, limits: MediaLimits) -> DecodedVideo:
    stream = next((s for s in container.streams.video if s.codec_context), None)
    if stream is None:
        raise MediaError(
            "The file holds no picture track.",
            hint="Give a photo or a video with a picture.",
            code="not-an-image",
        )
    width, height = stream.codec_context.width, stream.codec_context.height
    _check_size(width, height, limits)
    stream.thread_type, stream.codec_context.thread_count = "AUTO", 2
    times, keys = _index(container, stream)
    if not times:
        raise _broken()
    base = float(stream.time_base)
    length = (times[-1] - times[0]) * base
    if length > limits.max_video_seconds:
        raise MediaError(
            f"The video is {length:,.0f} seconds long; at most {limits.max_video_seconds:,.0f} "
            "seconds are read.",
            hint="Cut out the part that matters.",
            code="video-too-long",
        )
    wanted = _spread(times, limits.frames)
    found = _frames_at(container, stream, wanted, keys, limits)
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
        seconds=tuple(round((time - times[0]) * base, 3) for time, _ in found),
        tags={str(k)[:60]: str(v)[:4000] for k, v in container.metadata.items()},
        warnings=tuple(notes),
    )


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
    return sorted(times), sorted(keys)


def _spread(times: list[int], count: int) -> list[int]:
    """The middles of ``count`` equal stretches; all frames where there are fewer."""
    if len(times) <= count:
        return sorted(set(times))
    places = [int((i + 0.5) * len(times) / count) for i in range(count)]
    return [times[place] for place in places]


def _frames_at(
    container: Any, stream: Any, wanted: list[int], keys: list[int], limits: MediaLimits
) -> list[tuple[int, Image]]:
    """Decode from the key frame before each wanted time; never back, never the same frame twice."""
    import av

    found: list[tuple[int, Image]] = []
    size: tuple[int, int] | None = None
    decoder: Any = None
    position = -1
    for target in wanted:
        key = bisect.bisect_right(keys, target) - 1
        if decoder is None or (key >= 0 and keys[key] > position):
            container.seek(keys[key] if key >= 0 else 0, stream=stream, backward=True)
            decoder = container.decode(stream)
        try:
            frame = next((f for f in decoder if _reaches(f, target)), None)
        except av.FFmpegError:  # a damaged stretch: the next key frame may be whole
            decoder = None
            continue
        if frame is not None:
            position = int(frame.pts)
            _check_size(frame.width, frame.height, limits)
            image = _image(frame, limits, size)
            size = size or (image.shape[1], image.shape[0])
            found.append((position, image))
    return found


def _reaches(frame: Any, target: int) -> bool:
    return frame.pts is not None and frame.pts >= target and not frame.is_corrupt


def _image(frame: Any, limits: MediaLimits, size: tuple[int, int] | None) -> Image:
    """RGB, turned as the track says, at most ``max_frame_side``; later frames like the first."""
    turns = round(float(getattr(frame, "rotation", 0) or 0) / 90) % 4
    if size is None:
        shrink = min(1.0, limits.max_frame_side / max(frame.width, frame.height))
        width, height = max(1, round(frame.width * shrink)), max(1, round(frame.height * shrink))
    else:
        width, height = size if turns % 2 == 0 else size[::-1]
    image = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    image = np.ascontiguousarray(np.rot90(image, turns))
    image.flags.writeable = False
    return image
