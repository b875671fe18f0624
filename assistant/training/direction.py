"""One direction that tells listed fakes from genuine pictures of any source, in closed form.

Fisher's discriminant over standardised statistics, with what genuine *sources* differ in counted as
noise (within-class covariance normalisation, Hatch et al., Interspeech 2006): what tells one camera
from another is no evidence of manipulation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve

from assistant.errors import TrainingError

__all__ = ["fit_direction"]

#: A source of so many views of a class counts in full, a smaller one by its share of them.
_ENOUGH = 100


def fit_direction(
    values: NDArray[np.float32],
    listed: NDArray[np.bool_],
    sources: NDArray[np.str_],
    *,
    between: float,
    ridge: float,
) -> tuple[NDArray[np.float32], float]:
    """The direction, and where genuine pictures lie along it.

    Args:
        values: N x D, standardised.
        listed: N, whether a picture is manipulated.
        sources: N.
        between: weight of the spread between the means of genuine sources in the noise.
        ridge: added to the noise in every dimension.

    Returns:
        D weights by which genuine pictures have deviation 1, and their mean along them.

    Raises:
        TrainingError: one class only, or values that are not finite.
    """
    if not np.isfinite(values).all():
        raise TrainingError(
            "The statistics of some views are not finite.",
            hint="Delete the cache of views and run again.",
        )
    if len(set(listed.tolist())) < 2:
        raise TrainingError(
            "What is left to train on holds one class only.",
            hint="Leave fewer sources out, or add sources of the other class.",
            code="one-class",
        )
    noise = np.zeros((values.shape[1],) * 2)
    means: dict[tuple[str, bool], NDArray[np.float64]] = {}
    weights: dict[tuple[str, bool], float] = {}
    for group in sorted(set(zip(sources.tolist(), listed.tolist(), strict=True))):
        part = values[(sources == group[0]) & (listed == group[1])]
        means[group] = part.mean(0, dtype=np.float64)
        weights[group] = min(1.0, len(part) / _ENOUGH)
        centred = part - means[group].astype(np.float32)
        noise += weights[group] / len(part) * (centred.T @ centred)
    noise /= sum(weights.values())
    genuine = [group for group in means if not group[1]]
    shares = np.array([weights[group] for group in genuine])
    centres = np.stack([means[group] for group in genuine])
    middle = np.average(centres, axis=0, weights=shares)
    apart = (centres - middle) * np.sqrt(shares / shares.sum())[:, None]
    noise += between * apart.T @ apart
    noise[np.diag_indices_from(noise)] += ridge
    fakes = [group for group in means if group[1]]
    step = np.average(
        [means[group] - means.get((group[0], False), middle) for group in fakes],
        axis=0,
        weights=[weights[group] for group in fakes],
    )
    direction = solve(noise, step, assume_a="pos")
    along = values[~listed] @ direction
    deviation = float(along.std()) or 1.0
    return (direction / deviation).astype(np.float32), float(along.mean()) / deviation
