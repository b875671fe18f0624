"""What a file may be: the limits that hold before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WHOLE", "MediaLimits", "Span"]

#: A part of a clip: from when to when in seconds; None: to its end.
Span = tuple[float, float | None]
WHOLE: Span = (0.0, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """The most that is read, decoded and kept of one file.

    Attributes:
        max_image_bytes: size of a picture file in bytes.
        max_video_bytes: size of a video file in bytes.
        max_pixels: width x height of a picture or of a video's frames, checked before decoding.
        max_side: longest side in pixels.
        frames: how many frames are taken from a video at first, evenly spaced in time.
        max_video_seconds: length of a video.
        max_frame_side: longer frames of a video are scaled down to this side, in pixels.
    """

    max_image_bytes: int = 32 * 1024 * 1024
    max_video_bytes: int = 200 * 1024 * 1024
    max_pixels: int = 64_000_000
    max_side: int = 20_000
    frames: int = 24
    max_video_seconds: float = 600.0
    max_frame_side: int = 1920

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value <= 0:
                raise ValueError(f"{name}: expected more than 0, got {value}")
