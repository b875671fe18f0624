"""Whether what is told is true: the exchanged region against random patches, and told first.

Each sample has one exchanged region. It is neutralised in every way and the face is scored again;
so are equally large random patches of the same face. A way of neutralising is of use where the true
region moves the score more than chance does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from assistant.attribution.counterfactual import probe, region_effects
from assistant.attribution.neutralise import NEUTRALISERS
from assistant.attribution.regions import find_regions
from assistant.cues.stage import VisibleCues
from assistant.evaluation.known_masks import KnownMask
from assistant.evaluation.map_metrics import bootstrap
from assistant.interfaces import Attributor, Calibrator, Detector
from assistant.types import CuesLooked, Verdict, ranked_regions

__all__ = ["evaluate_counterfactuals", "told_first"]

#: Random patches a sample.
_CONTROLS = 4
#: The parts that a cue's place stands for.
_PARTS = {
    "mouth": frozenset({"mouth"}),
    "eyes": frozenset({"left eye", "right eye"}),
    "cheeks": frozenset({"left cheek", "right cheek"}),
}


def evaluate_counterfactuals(
    detector: Detector,
    calibrator: Calibrator,
    samples: Sequence[KnownMask],
) -> dict[str, dict[str, Any]]:
    """Neutralise the true region of every sample in every way.

    ``samples``: those with a ``region`` are used; all of them should be flagged.

    Returns:
        Method -> ``n``, mean ``change`` and ``control`` of the raw score, their ``ratio`` (absolute
        means; None where the control is 0), ``difference`` (control minus true change: positive
        where the true region carries more) with its 95 % ``interval``, and ``beyond`` (share of
        samples in which the true region lowers the score more than every control's mean).
    """
    used = [sample for sample in samples if sample.region]
    out: dict[str, dict[str, Any]] = {}
    for method in NEUTRALISERS:
        true, chance = [], []
        for number, sample in enumerate(used):
            card = probe(
                detector,
                calibrator,
                sample.crop,
                sample.crop_landmarks,
                regions=[sample.region],
                method=method,
                controls=_CONTROLS,
                variations=[],
                seed=number,
            )
            for found in card.counterfactuals:
                true.append(found.logit_change)
                chance.append(found.control_logit_mean)
        gap = np.array(chance) - np.array(true)
        mean, low, high = bootstrap(list(gap))
        control = float(np.mean(np.abs(chance))) if chance else 0.0
        change = float(np.mean(np.abs(true))) if true else 0.0
        out[method] = {
            "n": len(true),
            "change": round(float(np.mean(true)), 4) if true else None,
            "control": round(float(np.mean(chance)), 4) if chance else None,
            "ratio": round(change / control, 3) if control > 0 else None,
            "difference": round(mean, 4) if true else None,
            "interval": [round(low, 4), round(high, 4)] if true else [None, None],
            "beyond": round(float(np.mean(gap > 0)), 4) if true else None,
        }
    return out


def told_first(
    detector: Detector,
    calibrator: Calibrator,
    samples: Sequence[KnownMask],
    attributor: Attributor,
    *,
    baseline: Mapping[str, float] | None = None,
    cues: VisibleCues | None = None,
) -> dict[str, dict[str, Any]]:
    """How often the exchanged part is the first one told.

    Args:
        detector: scores.
        calibrator: says what counts as flagged.
        samples: those with a ``region`` are used, and ``untouched`` ones to compare with.
        attributor: makes the map.
        baseline: the share of the map above which each region stands out.
        cues: where a visible one speaks of a single part, that part is told first.

    Returns:
        Pictures -> shares, each [mean, low, high] with faces drawn whole. ``flagged``;
        ``flagged through the exchange``: the untouched face is not; ``score raised``: its logit
        rose by more than 1. ``cause``: the part that lowers the score most once it is taken out;
        ``map``: where the map is strongest; ``cues``: what a cue speaks of, else the cause;
        ``agreed``: the part where cause and map are of one mind, on ``n_agreed`` pictures.
    """
    logits = np.asarray(detector.logits([s.crop for s in samples]), np.float64)
    flagged = [calibrator.calibrate(float(x)).verdict is Verdict.LIKELY_MANIPULATED for x in logits]
    before = {s.name: i for i, s in enumerate(samples) if not s.mask.any()}
    swaps = [i for i, s in enumerate(samples) if s.region]
    sets = {
        "flagged": [i for i in swaps if flagged[i]],
        "flagged through the exchange": [
            i for i in swaps if flagged[i] and not flagged[before[samples[i].name]]
        ],
        "score raised": [i for i in swaps if logits[i] - logits[before[samples[i].name]] > 1],
    }
    wanted = sorted({i for chosen in sets.values() for i in chosen})
    told = {
        i: _told(detector, samples[i], attributor, baseline, cues) for i in tqdm(wanted, "pictures")
    }
    return {
        name: {
            "of_swaps": len(swaps),
            **_right([samples[i] for i in chosen], [told[i] for i in chosen]),
        }
        for name, chosen in sets.items()
    }


@dataclass(frozen=True, slots=True)
class _Told:
    """The part that comes first by cause, by map, and by the cues (empty where none speaks)."""

    cause: str
    map: str
    cues: frozenset[str]


def _told(
    detector: Detector,
    sample: KnownMask,
    attributor: Attributor,
    baseline: Mapping[str, float] | None,
    cues: VisibleCues | None,
) -> _Told:
    effects = region_effects(detector, sample.crop, sample.crop_landmarks)
    heat = attributor.attribute(detector, sample.crop).map
    parts = ranked_regions(find_regions(heat, sample.crop_landmarks, baseline))
    return _Told(
        min(effects, key=lambda n: effects[n], default=""),
        next((part.region for part in parts if part.region != "background"), ""),
        _told_by_cues(cues, sample),
    )


def _right(samples: Sequence[KnownMask], told: Sequence[_Told]) -> dict[str, Any]:
    pairs = list(zip(samples, told, strict=True))
    alike = [(s, t) for s, t in pairs if t.cause == t.map]

    def share(of: Sequence[tuple[KnownMask, _Told]], right: list[bool]) -> list[float] | None:
        found = bootstrap([float(hit) for hit in right], groups=[s.name for s, _ in of])
        return [round(x, 4) for x in found] if right else None

    return {
        "n": len(pairs),
        "cause": share(pairs, [t.cause == s.region for s, t in pairs]),
        "map": share(pairs, [t.map == s.region for s, t in pairs]),
        "cues": share(pairs, [s.region in (t.cues or {t.cause}) for s, t in pairs]),
        "cues_spoke": sum(bool(t.cues) for t in told),
        "agreed": share(alike, [t.cause == s.region for s, t in alike]),
        "n_agreed": len(alike),
    }


def _told_by_cues(cues: VisibleCues | None, sample: KnownMask) -> frozenset[str]:
    """The part that the first visible cue speaks of; empty where none speaks of a single part."""
    looked = cues.look(sample.crop, sample.crop_landmarks) if cues else CuesLooked()
    places = [f.reading.places[0].name for f in looked.spoken if f.visible]
    return _PARTS.get(places[0], frozenset()) if places else frozenset()
