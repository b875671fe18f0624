"""Fit a calibrator on held-out scores: temperature, Platt, isotonic or Venn-ABERS.

Guo et al. 2017 (temperature); Platt 1999; Vovk and Petej 2014 (Venn-ABERS, through ``venn-abers``).
The interval of temperature, Platt and isotonic is a bootstrap over groups (source videos); that of
Venn-ABERS is its own pair of probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.calibration.curve import CurveCalibrator
from assistant.errors import TrainingError

__all__ = ["BANDS", "METHODS", "conformal_thresholds", "fit_calibrator", "verdict_thresholds"]

Array = NDArray[np.float64]
METHODS = ("temperature", "platt", "isotonic", "venn-abers")
#: How the verdict bands are set: by quantiles of the pictures, or split-conformal over groups.
BANDS = ("quantile", "conformal")
_POINTS = 257
_LEAST = 30
_MARGIN = 1e-3


def fit_calibrator(
    logits: Array,
    labels: NDArray[np.int64],
    *,
    method: str = "platt",
    groups: Sequence[str] | None = None,
    weights: Array | None = None,
    max_error: float = 0.05,
    bands: str = "quantile",
    resamples: int = 200,
    seed: int = 0,
    fitted_on: dict[str, Any] | None = None,
) -> CurveCalibrator:
    """Fit a curve and the verdict bands.

    Args:
        logits: N raw scores of pictures that were not trained on.
        labels: N, 1 = manipulated.
        method: one of :data:`METHODS`.
        groups: N names (source videos); the bootstrap draws groups, not pictures.
        weights: N, how much each picture counts (to balance classes or sources).
        max_error: share of real faces that may be called ``likely manipulated``, and of manipulated
            ones that may be called ``no sign found``, on these scores.
        bands: one of :data:`BANDS`; ``conformal`` holds ``max_error`` for videos not seen yet.
        resamples: bootstrap draws for the interval.
        seed: of the bootstrap.
        fitted_on: kept with the calibrator.

    Raises:
        TrainingError: too few scores, one class only, or a score that is not finite.
    """
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels, np.int64)
    if method not in METHODS:
        raise TrainingError(
            f"calibration method {method!r} is not known.", hint=f"Choose {', '.join(METHODS)}."
        )
    if bands not in BANDS:
        raise TrainingError(f"bands {bands!r} are not known.", hint=f"Choose {', '.join(BANDS)}.")
    if not np.isfinite(logits).all():
        raise TrainingError(
            "A score to calibrate on is not finite.", hint="Score the pictures again."
        )
    if min((labels == 0).sum(), (labels == 1).sum()) < _LEAST:
        raise TrainingError(
            f"Calibration needs at least {_LEAST} real and {_LEAST} manipulated faces, got "
            f"{(labels == 0).sum()} and {(labels == 1).sum()}.",
            hint="Add pictures, or use the calibration that ships.",
            code="too-few-to-calibrate",
        )
    weight = np.ones(len(logits)) if weights is None else np.asarray(weights, np.float64)
    spread = max(float(np.ptp(logits)), 1e-6)
    grid = np.linspace(logits.min() - spread / 2, logits.max() + spread / 2, _POINTS)
    if method == "venn-abers":
        probability, low, high = _venn_abers(logits, labels, grid)
    else:
        fit = {"temperature": _temperature, "platt": _platt, "isotonic": _isotonic}[method]
        probability = fit(logits, labels, weight, grid)
        low, high = _bootstrap(fit, logits, labels, weight, grid, groups, resamples, seed)
    probability = np.clip(np.maximum.accumulate(probability), _MARGIN, 1 - _MARGIN)
    low = np.minimum(np.maximum.accumulate(np.clip(low, 0, 1)), probability)
    high = np.maximum(np.maximum.accumulate(np.clip(high, 0, 1)), probability)
    at_scores = np.interp(logits, grid, probability)
    return CurveCalibrator(
        method=method,
        logits=grid,
        probability=probability,
        low=low,
        high=high,
        thresholds=verdict_thresholds(at_scores, labels, max_error=max_error)
        if bands == "quantile"
        else conformal_thresholds(at_scores, labels, groups, max_error=max_error),
        fitted_on=fitted_on,
    )


def verdict_thresholds(
    probabilities: Array, labels: NDArray[np.int64], *, max_error: float = 0.05
) -> tuple[float, float]:
    """The two probabilities that part the verdict bands.

    From the second on, at most ``max_error`` of the real faces are called manipulated; up to the
    first, at most ``max_error`` of the manipulated ones are called real. They never cross 0.5.
    """
    real = probabilities[labels == 0]
    fake = probabilities[labels == 1]
    upper = np.quantile(real, 1.0 - max_error, method="higher") + 1e-6
    lower = np.quantile(fake, max_error, method="lower") - 1e-6
    return (  # rounded outwards, so that the rates hold
        float(np.clip(np.floor(lower * 1e4) / 1e4, 0.0, 0.5)),
        float(np.clip(np.ceil(upper * 1e4) / 1e4, 0.5, 1.0)),
    )


def conformal_thresholds(
    probabilities: Array,
    labels: NDArray[np.int64],
    groups: Sequence[str] | None = None,
    *,
    max_error: float = 0.05,
) -> tuple[float, float]:
    """Verdict bands by split-conformal prediction for each class (Vovk et al. 2005).

    A verdict is withheld unless one class alone is left in the prediction set. For a new video
    drawn like these, a real one is called manipulated with a chance of at most ``max_error``, and a
    manipulated one real likewise, whatever the detector is worth. Groups count once, by their mean.
    With too few groups of a class for that promise (fewer than 1 / ``max_error`` - 1) nothing is
    called so.
    """
    names = np.arange(len(labels)).astype(str) if groups is None else np.asarray(groups)

    def means(label: int) -> Array:
        rows = labels == label
        _, member = np.unique(names[rows], return_inverse=True)
        return np.sort(np.bincount(member, probabilities[rows]) / np.bincount(member))

    real, fake = means(0), means(1)
    from_top = [int(np.ceil((len(part) + 1) * (1 - max_error))) for part in (real, fake)]
    upper = real[from_top[0] - 1] + 1e-6 if from_top[0] <= len(real) else 1.0
    lower = fake[len(fake) - from_top[1]] - 1e-6 if from_top[1] <= len(fake) else 0.0
    return (
        float(np.clip(np.floor(lower * 1e4) / 1e4, 0.0, 0.5)),
        float(np.clip(np.ceil(upper * 1e4) / 1e4, 0.5, 1.0)),
    )


def _sigmoid(values: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))


def _nll(values: Array, labels: NDArray[np.int64], weight: Array) -> float:
    signed = np.where(labels == 1, -values, values)
    return float((weight * np.logaddexp(0.0, signed)).sum() / weight.sum())


def _temperature(logits: Array, labels: NDArray[np.int64], weight: Array, grid: Array) -> Array:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log_scale: _nll(logits * np.exp(log_scale), labels, weight),
        bounds=(-8.0, 8.0),
        method="bounded",
    )
    return _sigmoid(grid * np.exp(found.x))


def _platt(logits: Array, labels: NDArray[np.int64], weight: Array, grid: Array) -> Array:
    from scipy.optimize import minimize

    centre, spread = float(logits.mean()), float(logits.std()) or 1.0
    standard = (logits - centre) / spread

    def loss(parameters: Array) -> float:
        # the slope is kept positive, so that the curve cannot fall
        return _nll(np.exp(parameters[0]) * standard + parameters[1], labels, weight)

    found = minimize(loss, np.zeros(2), method="BFGS")
    return _sigmoid(np.exp(found.x[0]) * (grid - centre) / spread + found.x[1])


def _isotonic(logits: Array, labels: NDArray[np.int64], weight: Array, grid: Array) -> Array:
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    return np.asarray(curve.fit(logits, labels, sample_weight=weight).predict(grid))


def _venn_abers(
    logits: Array, labels: NDArray[np.int64], grid: Array
) -> tuple[Array, Array, Array]:
    from venn_abers import VennAbers

    squeezed = _sigmoid((logits - logits.mean()) / (logits.std() or 1.0))
    at = _sigmoid((grid - logits.mean()) / (logits.std() or 1.0))
    model = VennAbers()
    model.fit(np.stack([1 - squeezed, squeezed], 1), labels)
    merged, pair = model.predict_proba(np.stack([1 - at, at], 1))
    low, high = np.sort(np.asarray(pair, np.float64), axis=1).T
    return np.asarray(merged[:, 1], np.float64), low, high


def _bootstrap(
    fit: Callable[[Array, NDArray[np.int64], Array, Array], Array],
    logits: Array,
    labels: NDArray[np.int64],
    weight: Array,
    grid: Array,
    groups: Sequence[str] | None,
    resamples: int,
    seed: int,
) -> tuple[Array, Array]:
    """The 2.5 % and 97.5 % curves over resampled groups."""
    rng = np.random.default_rng(seed)
    names = np.arange(len(logits)).astype(str) if groups is None else np.asarray(groups)
    _, member = np.unique(names, return_inverse=True)
    order = np.argsort(member, kind="stable")
    starts = np.searchsorted(member[order], np.arange(member.max() + 2))
    curves = []
    for _ in range(resamples):
        drawn = rng.integers(0, member.max() + 1, member.max() + 1)
        rows = np.concatenate([order[starts[g] : starts[g + 1]] for g in drawn])
        if len(np.unique(labels[rows])) == 2:
            curves.append(fit(logits[rows], labels[rows], weight[rows], grid))
    low, high = np.quantile(np.stack(curves), [0.025, 0.975], axis=0)
    return low, high
