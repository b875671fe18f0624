"""What a decoded clip is, and which of its frames are taken."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from assistant.types import Image

__all__ = ["DecodedVideo", "spread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedVideo:
    """Frames (RGB uint8 HWC, read-only, all of one size) and the second each is shown at.

    ``span``: the seconds of the first and last frame of the part that they were taken from.
    """

    frames: tuple[Image, ...]
    seconds: tuple[float, ...]
    span: tuple[float, float]
    tags: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def spread(times: Sequence[float], count: int) -> list[int]:
    """Which frames to take so that they are evenly spaced in time, not in number.

    Args:
        times: when each frame is first shown, rising.
        count: how many are wanted.

    Returns:
        Numbers of frames, rising: those shown in the middle of ``count`` equal stretches of time,
        then, where a stretch shows the frame of another, those that are farthest from a chosen one;
        all frames where there are no more than ``count``.
    """
    if len(times) <= count:
        return list(range(len(times)))
    at = np.asarray(times, np.float64)
    # the last frame is shown as long as frames are shown on average
    end = at[-1] + (at[-1] - at[0]) / (len(at) - 1)
    middles = at[0] + (np.arange(count) + 0.5) * (end - at[0]) / count
    chosen = sorted({max(0, bisect.bisect_right(times, middle) - 1) for middle in middles})
    while len(chosen) < count:
        apart = np.abs(at[:, None] - at[chosen]).min(1)
        apart[chosen] = -1.0
        chosen = sorted([*chosen, int(np.argmax(apart))])
    return chosen
