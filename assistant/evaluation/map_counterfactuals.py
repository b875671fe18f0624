"""Whether a counterfactual tells the truth: the exchanged region against random patches.

Each sample has one exchanged region. It is neutralised in every way and the face is scored again;
so are equally large random patches of the same face. A way of neutralising is of use where the true
region moves the score more than chance does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from assistant.attribution.counterfactual import probe, region_effects
from assistant.attribution.neutralise import NEUTRALISERS
from assistant.cues.stage import VisibleCues
from assistant.evaluation.known_masks import KnownMask
from assistant.evaluation.map_metrics import bootstrap
from assistant.interfaces import Calibrator, Detector
from assistant.types import CuesLooked

__all__ = ["evaluate_counterfactuals", "first_by_effect"]

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
    *,
    controls: int = 4,
) -> dict[str, dict[str, Any]]:
    """Neutralise the true region of every sample in every way.

    Args:
        detector: scores.
        calibrator: its calibrator.
        samples: those with a ``region`` are used; all of them should be flagged.
        controls: random patches a sample.

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
                controls=controls,
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


def first_by_effect(
    detector: Detector,
    samples: Sequence[KnownMask],
    *,
    flagged_as_it_is: Collection[str] = (),
    cues: VisibleCues | None = None,
) -> dict[str, Any]:
    """How often the part that lowers the score most, once it is taken out, is the exchanged one.

    Args:
        detector: scores.
        samples: those with a ``region`` are used; all of them should be flagged.
        flagged_as_it_is: names of faces that are flagged without an exchange: no map and no
            counterfactual can be right about them.
        cues: where a visible one speaks of a single part, that part is told first.

    Returns:
        ``value``, ``interval`` (95 %, faces drawn whole), ``n``; ``caused`` and ``n_caused``: over
        the faces that are flagged through the exchange; ``with_cues`` (None without cues): the
        share where what cues tell of comes first, and ``cues_spoke``: on how many pictures one did.
    """
    used = [sample for sample in samples if sample.region]
    right, seen, spoke = [], [], 0
    for sample in used:
        effects = region_effects(detector, sample.crop, sample.crop_landmarks)
        right.append(bool(effects) and min(effects, key=lambda n: effects[n]) == sample.region)
        told = _told_by_cues(cues, sample)
        spoke += bool(told)
        seen.append(sample.region in told if told else right[-1])
    caused = [hit for hit, s in zip(right, used, strict=True) if s.name not in flagged_as_it_is]
    mean, low, high = bootstrap([float(hit) for hit in right], groups=[s.name for s in used])
    return {
        "value": round(mean, 4) if right else None,
        "interval": [round(low, 4), round(high, 4)] if right else [None, None],
        "n": len(right),
        "caused": round(float(np.mean(caused)), 4) if caused else None,
        "n_caused": len(caused),
        "with_cues": round(float(np.mean(seen)), 4) if seen and cues else None,
        "cues_spoke": spoke,
    }


def _told_by_cues(cues: VisibleCues | None, sample: KnownMask) -> frozenset[str]:
    """The part that the first visible cue speaks of; empty where none speaks of a single part."""
    looked = cues.look(sample.crop, sample.crop_landmarks) if cues else CuesLooked()
    places = [f.reading.places[0].name for f in looked.spoken if f.visible]
    return _PARTS.get(places[0], frozenset()) if places else frozenset()
