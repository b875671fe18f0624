"""Where in a clip to look again, and where a shot ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.types import Image

__all__ = ["LOOKS", "colour_shares", "denser", "is_cut", "movement"]

#: What a face looks like to the tower: the mean patch of the last block that is read, in
#: :attr:`assistant.types.Reading.statistics`.
LOOKS = (-1, 1)
_STEP = 0.12  # seconds between frames where it is looked at closely
# Frames of one shot that are some tenths of a second apart share 0.89 of their colours or more (ten
# clips, people who move); an interview cut between two people shares 0.57.
_CUT_SHARE = 0.75
_BINS = 4
_MOVES = 4.0  # of movement(): twice the usual, from which on it is looked at closely
_LEAST_STEP, _LEAST_APART = 0.05, 2e-4  # logits and 1 - cosine: what a codec does to a still face


def movement(
    logits: NDArray[np.float64], looks: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """By how much a person changes between neighbouring frames: 2 is as usual.

    Args:
        logits: N scores.
        looks: N x d, what the face looks like to the detector's tower; None: the scores alone.

    Returns:
        N - 1: the change of the score and that of the looks, each over its median.
    """
    steps = np.abs(np.diff(logits))
    moved = steps / max(_LEAST_STEP, float(np.median(steps)))
    if looks is None:
        return 2.0 * moved
    unit = looks / np.linalg.norm(looks, axis=1, keepdims=True)
    apart = 1.0 - (unit[1:] * unit[:-1]).sum(1)
    return np.asarray(moved + apart / max(_LEAST_APART, float(np.median(apart))))


def denser(
    series: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], budget: int
) -> list[float]:
    """The seconds to look at, so that the borders of what stands out are found.

    Args:
        series: of each person the seconds, rising, and the :func:`movement` between them.
        budget: how many frames may be read at most.

    Returns:
        Rising seconds, evenly laid into the gaps over which a person changes most; none where the
        gaps are short already, or where nobody changes more than usual.
    """
    gaps: list[tuple[float, float, float]] = []
    for seconds, steps in series:
        gaps += [
            (float(step), float(a), float(b))
            for step, a, b in zip(steps, seconds[:-1], seconds[1:], strict=True)
            if step >= _MOVES
        ]
    wanted: set[float] = set()
    for _, a, b in sorted(gaps, reverse=True):
        pieces = min(int(np.ceil((b - a) / _STEP)), 1 + budget)
        inner = {round(a + (b - a) * k / pieces, 3) for k in range(1, pieces)}
        if len(wanted | inner) > budget:
            break
        wanted |= inner
    return sorted(wanted)


def colour_shares(frame: Image) -> NDArray[np.float64]:
    """What share of a frame (RGB uint8 HWC) each of 64 colours has."""
    step = max(1, min(frame.shape[:2]) // 90)
    levels = frame[::step, ::step].astype(np.int64) * _BINS // 256
    codes = (levels[..., 0] * _BINS + levels[..., 1]) * _BINS + levels[..., 2]
    counts = np.bincount(codes.ravel(), minlength=_BINS**3)
    return np.asarray(counts / counts.sum())


def is_cut(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    """Whether two frames with these :func:`colour_shares` are of different shots."""
    return float(np.minimum(before, after).sum()) < _CUT_SHARE
