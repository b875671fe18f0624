"""Flat bars at the sides of a picture, as screenshots, letterboxed clips and slides have them.

A bar is not part of the photo, but it changes how large the photo's faces are in their picture and
what lies beside them. A bar ends in one straight step over most of the picture's width; a plain
background behind a head does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.types import Image

__all__ = ["inner_box"]

_TOLERANCE = 10  # of 255: what JPEG makes of a flat colour
_FLAT_SHARE = 0.85  # of a line; the rest may be a clock, a caption or a button
_STEP, _STEP_SHARE = 16, 0.6  # how far and over how much of its end the photo differs from a bar
_SECOND_SHARE = 0.2  # where the opposite side has a bar of the same colour
_LEAST_SHARE = 0.01  # thinner bars are left
_LEAST_SIDE = 64
_ROUNDS = 3

Box = tuple[int, int, int, int]


def inner_box(frames: Sequence[Image]) -> Box:
    """What lies within the bars that all frames share.

    Args:
        frames: RGB uint8 HWC, all of one size; at least one.

    Returns:
        (x0, y0, x1, y1) in pixels; the whole frame where there are no bars.
    """
    boxes = np.array([_inner(frame) for frame in frames])
    x0, y0 = boxes[:, :2].min(0)
    x1, y1 = boxes[:, 2:].max(0)
    return int(x0), int(y0), int(x1), int(y1)


def _inner(frame: Image) -> Box:
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = 0, 0, width, height
    for _ in range(_ROUNDS):  # a bar across may hide one along
        before = (x0, y0, x1, y1)
        part = frame[y0:y1, x0:x1]
        top, bottom = _bars(part)
        y0, y1 = y0 + top, y1 - bottom
        across = frame[y0:y1, x0:x1].swapaxes(0, 1)
        left, right = _bars(across)
        x0, x1 = x0 + left, x1 - right
        if (x0, y0, x1, y1) == before:
            break
    if min(x1 - x0, y1 - y0) < _LEAST_SIDE:
        return 0, 0, width, height
    return x0, y0, x1, y1


def _bars(lines: NDArray[np.uint8]) -> tuple[int, int]:
    """How many of the first and of the last lines are bars; 0 where there is none."""
    first, last = _bar(lines), _bar(lines[::-1])
    alike = np.abs(np.median(lines[0], axis=0) - np.median(lines[-1], axis=0)).max() <= _TOLERANCE
    second = _SECOND_SHARE if alike else _STEP_SHARE
    if max(first[1], last[1]) < _STEP_SHARE:
        return 0, 0
    return (
        first[0] if first[1] >= second else 0,
        last[0] if last[1] >= second else 0,
    )


def _bar(lines: NDArray[np.uint8]) -> tuple[int, float]:
    """How many of the first lines are flat, and over how much of their end the photo differs."""
    colour = np.median(lines[0], axis=0)
    count, step = 0, 64
    while count < len(lines):  # in blocks: most pictures have no bar and end in the first
        flat = _flat(lines[count : count + step], colour)
        if not flat.all():
            count += int(np.argmin(flat))
            break
        count += step
    if count < max(2, _LEAST_SHARE * len(lines)) or count >= len(lines) - _LEAST_SIDE:
        return 0, 0.0
    # resampling may have smeared the step over two lines
    behind = lines[min(count + 1, len(lines) - 1)].astype(np.float32)
    return count, float((np.abs(behind - colour).max(1) > _STEP).mean())


def _flat(lines: NDArray[np.uint8], colour: NDArray[np.floating]) -> NDArray[np.bool_]:
    near = np.abs(lines.astype(np.float32) - colour).max(2) <= _TOLERANCE
    flat: NDArray[np.bool_] = near.mean(1) >= _FLAT_SHARE
    return flat
