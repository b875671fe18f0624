"""Whether a map names what the score rests on: cells are taken out, and the face is scored again.

Deletion and insertion (RISE, arXiv 1806.07421) with two fillings, and ROAD (arXiv 2202.00449). The
control is the mean of several random orders: a single one is as good as a throw of dice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.occlusion import blurred
from assistant.evaluation import map_metrics as figures
from assistant.evaluation.known_masks import KnownMask
from assistant.interfaces import Calibrator, Detector
from assistant.types import Image

__all__ = ["FILLS", "SHARES", "faithful"]

#: Shares of the cells that deletion and insertion exchange.
SHARES: tuple[float, ...] = (0.0, 0.1, 0.2, 0.35, 0.6, 1.0)
_ROAD_SHARE = 0.2
#: How cells are filled -> the suffix of the figures. Noisy linear imputation (arXiv 2202.00449) is
#: the one that counts: the form of a hole that is blurred or blackened tells a detector much.
FILLS: Mapping[str, str] = {"imputed": "", "blur": "_blur"}
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
    """Add deletion and insertion with both fillings, and ROAD, of all maps of one sample.

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
    heats |= {f"{_ORDER}{i}": rng.random(size).astype(np.float32) for i in range(_RANDOM_ORDERS)}

    def probability(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([calibrator.calibrate(float(v)).probability for v in values])

    for fill, suffix in FILLS.items():
        curves = _curves(detector, sample.crop, heats, fill, logit, rng)
        chance, chance_tenth = [], []
        for name, (down, up) in curves.items():
            area = figures.trapezoid(SHARES, probability(down))
            tenth = logit - float(down[SHARES.index(0.1)])
            if name.startswith(_ORDER):
                chance.append(area)
                chance_tenth.append(tenth)
                continue
            found[name][f"tenth_drop{suffix}"] = tenth
            found[name][f"deletion_auc{suffix}"] = area
            found[name][f"insertion_auc{suffix}"] = figures.trapezoid(SHARES, probability(up))
            at = SHARES.index(_ROAD_SHARE)
            if fill == "imputed":
                found[name]["road_drop"] = logit - float(down[at])
            else:
                found[name]["comprehensiveness"] = logit - float(down[at])
                found[name]["sufficiency"] = logit - float(up[at])
        for name in maps:
            lower = found[name][f"deletion_auc{suffix}"] < float(np.mean(chance))
            found[name][f"deletion_below_random{suffix}"] = float(lower)
            more = found[name][f"tenth_drop{suffix}"] > float(np.mean(chance_tenth))
            found[name][f"tenth_above_random{suffix}"] = float(more)
            found[name][f"deletion_of_random{suffix}"] = float(np.mean(chance))


def _curves(
    detector: Detector,
    crop: Image,
    heats: Mapping[str, NDArray[np.floating]],
    fill: str,
    logit: float,
    rng: np.random.Generator,
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Each map's logits at :data:`SHARES`: its highest cells filled, and all others filled.

    All of one filling are scored in one call; the ends are the same for every map.
    """
    inner = SHARES[1:-1]
    if fill == "blur":
        filler = blurred(crop, share=0.04)
        crops = [filler]
        for heat in heats.values():
            crops += figures.exchanged(crop, filler, heat, shares=inner)
            crops += figures.exchanged(crop, filler, heat, shares=inner, insert=True)
    else:
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
