"""Whether a map names what the score rests on: cells are taken out, and the face is scored again.

Deletion and insertion (RISE, arXiv 1806.07421); cells are filled by noisy linear imputation (ROAD,
arXiv 2202.00449), because the form of a hole that is blurred or blackened tells a detector much.
The control is the mean of several random orders: a single one is as good as a throw of dice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from assistant.evaluation import map_metrics as figures
from assistant.evaluation.known_masks import KnownMask
from assistant.interfaces import Calibrator, Detector
from assistant.types import Image

__all__ = ["SHARES", "faithful"]

#: Shares of the cells that deletion and insertion exchange.
SHARES: tuple[float, ...] = (0.0, 0.1, 0.2, 0.35, 0.6, 1.0)
#: Random orders whose mean a map's deletion is compared with.
_RANDOM_ORDERS = 3
_ORDER = "random order "


def faithful(
    detector: Detector,
    calibrator: Calibrator,
    sample: KnownMask,
    maps: Mapping[str, tuple[NDArray[np.float32], float]],
    found: Mapping[str, dict[str, float]],
    logit: float,
    seed: int,
) -> None:
    """Add deletion and insertion of all maps of one sample.

    Args:
        detector: scores the changed crops, with all that it does for one (its mirror image too).
        calibrator: gives the probabilities whose areas are taken.
        sample: the picture.
        maps: by method, map and milliseconds.
        found: by method, where the figures go.
        logit: of the picture as it is.
        seed: of noise and random orders.
    """
    rng = np.random.default_rng(seed)
    heats = {name: heat for name, (heat, _) in maps.items()}
    size = sample.crop.shape[:2]
    orders = [f"{_ORDER}{i}" for i in range(_RANDOM_ORDERS)]
    heats |= {name: rng.random(size).astype(np.float32) for name in orders}

    def area(values: NDArray[np.float64]) -> float:
        probability = [calibrator.calibrate(float(v)).probability for v in values]
        return figures.trapezoid(SHARES, np.array(probability))

    curves = _curves(detector, sample.crop, heats, logit, rng)
    deleted = {name: area(down) for name, (down, _) in curves.items()}
    tenth = {name: logit - float(down[SHARES.index(0.1)]) for name, (down, _) in curves.items()}
    chance, chance_tenth = (np.mean([by[name] for name in orders]) for by in (deleted, tenth))
    for name in maps:
        found[name] |= {
            "deletion_auc": deleted[name],
            "insertion_auc": area(curves[name][1]),
            "deletion_below_random": float(deleted[name] < chance),
            "tenth_above_random": float(tenth[name] > chance_tenth),
        }


def _curves(
    detector: Detector,
    crop: Image,
    heats: Mapping[str, NDArray[np.floating]],
    logit: float,
    rng: np.random.Generator,
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Each map's logits at :data:`SHARES`: its highest cells filled, and all others filled.

    All are scored in one call; the ends are the same for every map.
    """
    inner = SHARES[1:-1]
    crops = [figures.road(crop, np.ones(crop.shape[:2]), share=1.0, rng=rng)]
    for heat in heats.values():
        crops += [figures.road(crop, heat, share=s, rng=rng) for s in inner]
        crops += [figures.road(crop, heat, share=s, rng=rng, insert=True) for s in inner]
    scores = np.asarray(detector.logits(crops), np.float64)
    step = 2 * len(inner)
    curves = {}
    for i, name in enumerate(heats):
        block = scores[1 + i * step : 1 + (i + 1) * step]
        curves[name] = (
            np.concatenate([[logit], block[: len(inner)], scores[:1]]),
            np.concatenate([scores[:1], block[len(inner) :], [logit]]),
        )
    return curves
