"""The parts of a clip in which a person's score stands above the rest: change points, then levels.

A detector's scores of one person differ from those of another by the camera, the light and the
codec more than by anything else, so a stretch is looked for against the same person's other moments
and not against a fixed level. Change points are those of the optimal partition (PELT, Killick et
al. 2012, as in ``ruptures``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["StretchRule", "raised_parts"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchRule:
    """The constants, fitted by ``whyfake eval video --fit`` (docs/video.md has the command).

    Attributes:
        penalty: for each further change point, in variances of the frame-to-frame noise.
        rise: by how many logits the parts above must lie over those below.
        least: the fewest moments of a part.
    """

    penalty: float = 6.0
    rise: float = 1.6
    least: int = 3


def raised_parts(logits: Array, rule: StretchRule | None = None) -> list[tuple[int, int]]:
    """Where the logits stand above the rest.

    Args:
        logits: of one person's moments in order of time.
        rule: the constants.

    Returns:
        First and last index of every part, in order, apart from one another; none where nothing
        stands out.
    """
    import ruptures

    rule = rule or StretchRule()
    values = np.asarray(logits, np.float64)
    if len(values) < 2 * rule.least:
        return []
    penalty = rule.penalty * _noise(values) ** 2
    search = ruptures.KernelCPD(kernel="linear", min_size=rule.least).fit(values[:, None])
    ends = search.predict(pen=penalty)
    parts = list(zip([0, *ends[:-1]], ends, strict=True))
    levels = np.array([values[a:b].mean() for a, b in parts])
    if levels.max() - levels.min() < rule.rise:
        return []
    middle = (levels.max() + levels.min()) / 2
    raised: list[tuple[int, int]] = []
    for (a, b), level in zip(parts, levels, strict=True):
        if level < middle:
            continue
        if raised and raised[-1][1] == a - 1:
            raised[-1] = (raised[-1][0], b - 1)
        else:
            raised.append((a, b - 1))
    return raised


def _noise(values: Array) -> float:
    """Standard deviation of a frame's score, of the differences of neighbours; at least 0.1."""
    return max(0.1, float(1.4826 * np.median(np.abs(np.diff(values))) / np.sqrt(2.0)))
