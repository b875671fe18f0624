"""The parts of a clip in which a person's score stands above the rest: borders, then levels.

A detector's scores of one person differ from those of another by the camera, the light and the
codec more than by anything else, so a stretch is looked for against the same person's other moments
and not against a fixed level.

Where a face is exchanged for a time its looks jump at both borders, also where a codec leaves
little of the score. So the borders are looked for in the looks first; between such borders a small
rise of the score is enough. Where the looks do not jump, change points of the scores (the optimal
partition, PELT, Killick et al. 2012, as in ``ruptures``) part the clip, and a larger rise is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["StretchRule", "parted", "raised_parts"]

Array = NDArray[np.float64]
_LEAST_JUMP = 1e-4  # of the looks: what a codec does to a still face


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchRule:
    """The constants, fitted by ``whyfake eval video --fit`` (docs/video.md has the command).

    Attributes:
        jump: how many times the usual change the looks must change by at a border.
        less: by how many logits a part between two such borders must lie over the rest.
        penalty: for each change point of the scores, in variances of the frame-to-frame noise.
        rise: by how many logits the parts above must lie over those below.
        least: the fewest moments of a part.
    """

    jump: float = 5.0
    less: float = 0.5
    penalty: float = 20.0
    rise: float = 1.6
    least: int = 3


def raised_parts(
    logits: Array,
    rule: StretchRule | None = None,
    *,
    looks: NDArray[np.floating] | None = None,
    shots: Sequence[int] | NDArray[np.integer] | None = None,
) -> list[tuple[int, int]]:
    """Where the logits stand above the rest.

    Args:
        logits: of one person's N moments in order of time.
        rule: the constants.
        looks: N x d, what the face looks like at each; None where that is not known.
        shots: N, the shot that each is of: at a cut looks always jump. None: all are of one.

    Returns:
        First and last index of every part, in order, apart from one another; none where nothing
        stands out.
    """
    rule = rule or StretchRule()
    values = np.asarray(logits, np.float64)
    borders = [] if looks is None else _jumps(looks, shots, rule)
    if borders:
        edges = [0, *borders, len(values)]
        raised = _raised(values, list(pairwise(edges)), rule.less)
        if raised:
            return raised
    return _raised(values, parted(values, rule), rule.rise)


def parted(values: Array, rule: StretchRule) -> list[tuple[int, int]]:
    """The parts between the change points of scores: first index, and one past the last."""
    import ruptures

    if len(values) < 2 * rule.least:
        return [(0, len(values))]
    search = ruptures.KernelCPD(kernel="linear", min_size=rule.least).fit(values[:, None])
    ends = search.predict(pen=rule.penalty * _noise(values) ** 2)
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _raised(values: Array, parts: list[tuple[int, int]], rise: float) -> list[tuple[int, int]]:
    """Of the parts those in the upper half of the levels, joined where they touch."""
    levels = np.array([values[a:b].mean() for a, b in parts])
    if levels.max() - levels.min() < rise:
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


def _jumps(
    looks: NDArray[np.floating],
    shots: Sequence[int] | NDArray[np.integer] | None,
    rule: StretchRule,
) -> list[int]:
    """The moments at which the looks jump: those before are one face, those from it on another."""
    unit = np.asarray(looks, np.float64)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    count, wide = len(unit), rule.least
    if count < 2 * wide + 1:
        return []
    places = np.arange(wide, count - wide + 1)
    steps = np.array(
        [((unit[i : i + wide].mean(0) - unit[i - wide : i].mean(0)) ** 2).sum() for i in places]
    )
    usual = max(_LEAST_JUMP, float(np.median(steps)))
    of_shots = np.zeros(count, int) if shots is None else np.asarray(shots)
    whole = np.array([of_shots[i - wide] == of_shots[i + wide - 1] for i in places])
    found: list[int] = []
    for k in np.argsort(-steps):
        if steps[k] < rule.jump * usual:
            break
        if whole[k] and all(abs(places[k] - other) >= wide for other in found):
            found.append(int(places[k]))
    return sorted(found)
