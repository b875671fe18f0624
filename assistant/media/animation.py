"""Animated pictures (GIF, WebP, APNG, AVIF) as clips: their first frame is often empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assistant.media.clip import DecodedVideo, spread
from assistant.media.colour import to_rgb
from assistant.media.limits import MediaLimits
from assistant.media.metadata import image_tags
from assistant.types import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["decode_animation", "is_animation"]

_KINDS = frozenset({"gif", "webp", "png", "avif"})
_MOST_FRAMES = 3000
#: All frames together: each must be decoded to know the next.
_MOST_PIXELS = 1_500_000_000
_USUAL_SECONDS = 0.1  # browsers show frames without a time of their own for so long


def is_animation(picture: Picture, kind: str) -> bool:
    """Whether an opened picture moves; pages and a phone's depth pictures do not."""
    return kind in _KINDS and getattr(picture, "n_frames", 1) > 1


def decode_animation(picture: Picture, limits: MediaLimits) -> DecodedVideo:
    """Take ``limits.frames`` frames, evenly spaced in time.

    Args:
        picture: an opened animation whose size was checked.
        limits: frames wanted.

    Raises:
        Whatever Pillow raises for a damaged file.
    """
    count: int = getattr(picture, "n_frames", 1)
    most = max(1, min(_MOST_FRAMES, _MOST_PIXELS // max(1, picture.width * picture.height)))
    notes = (
        [f"Of the animation's {count} frames the first {most} were read."] if count > most else []
    )
    starts = _starts(picture, min(count, most))
    wanted = spread(starts, limits.frames)
    frames: list[Image] = []
    for number in wanted:
        picture.seek(number)
        picture.load()
        # every frame is laid on white: which are see-through is not worth a note each
        pixels = np.array(to_rgb(picture.copy(), []))
        pixels.flags.writeable = False
        frames.append(pixels)
    return DecodedVideo(
        frames=tuple(frames),
        seconds=tuple(round(starts[number], 3) for number in wanted),
        span=(0.0, round(starts[-1], 3)),
        tags=image_tags(picture),
        warnings=tuple(notes),
    )


def _starts(picture: Picture, count: int) -> list[float]:
    """The second at which each frame is first shown."""
    starts, now = [], 0.0
    for number in range(count):
        picture.seek(number)
        picture.load()
        starts.append(now)
        shown = float(picture.info.get("duration") or 0.0) / 1000.0
        now += shown if shown > 0.01 else _USUAL_SECONDS
    return starts
