"""The head over a clip's frames: fitted and calibrated by video, judged on sources left out.

The head is linear in a few measures of a person over time and ends in a logit that the detector's
own calibration reads, so that a clip's probability means what a picture's does. It is drawn towards
the mean of the frames, which is what a clip gets without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import TrainingError
from assistant.evaluation.detection_metrics import (
    auroc,
    bootstrap_interval,
    brier,
    ece,
    reliability,
)
from assistant.evaluation.judged import JudgedPerson
from assistant.interfaces import Calibrator
from assistant.timeline import CLIP_RULES, FEATURES, TemporalHead, clip_logit

__all__ = ["Compared", "compare_rules", "fit_head"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_MEAN = np.eye(len(FEATURES))[0]
_PULL = 1.0  # of a weight that is 1 away from the mean's, in nats
_LEAST = 4  # people of each class that a head is fitted on


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the rules and the head do on people of videos that they were not fitted on.

    Attributes:
        sources: name -> rule -> ``auroc``, ``low``, ``high``; ``all`` holds every source.
        calibration: rule -> ``ece``, ``brier``, ``low``, ``high`` (of Brier) and ``reliability``:
            ``mean`` and the others with the detector's calibration as it is, ``head`` with its own.
        gain: rule -> how far its AUROC over all sources lies above the mean's, with the 95 %
            interval of that difference, clips drawn again.
        people: source -> genuine and manipulated people.
        best: the name with the highest AUROC over all that is not below the mean in any source.
    """

    sources: dict[str, dict[str, dict[str, float | None]]]
    calibration: dict[str, dict[str, Any]]
    gain: dict[str, dict[str, float | None]]
    people: dict[str, tuple[int, int]]
    best: str


def fit_head(
    people: Sequence[JudgedPerson], calibrator: Calibrator, weights_sha256: str = ""
) -> TemporalHead:
    """The weights under which what was seen is likeliest, each source and class counting alike.

    Raises:
        TrainingError: too few people of one class.
    """
    known, labels, sources = _known(people)
    if min((labels == 0).sum(), (labels == 1).sum()) < _LEAST:
        raise TrainingError(
            f"A head over time needs at least {_LEAST} genuine and {_LEAST} manipulated people; "
            f"there are {int((labels == 0).sum())} and {int((labels == 1).sum())}.",
            hint="Judge more clips: whyfake eval video --made 24 --judged FILE.",
            code="too-few-clips",
        )
    from scipy.optimize import minimize

    features = np.array([p.features() for p in known])
    kinds, kind = np.unique(
        [f"{s} {k}" for s, k in zip(sources, labels, strict=True)], return_inverse=True
    )
    weight = len(known) / len(kinds) / np.bincount(kind)[kind]

    def cost(values: Array) -> float:
        chance = _probabilities(calibrator, features @ values[:-1] + values[-1])
        right = np.clip(np.where(labels == 1, chance, 1 - chance), 1e-3, 1)
        pull = _PULL * ((values[:-1] - _MEAN) ** 2).sum()
        return float(-(weight * np.log(right)).sum() + pull)

    found = minimize(cost, np.append(_MEAN, 0.0), method="Powell")
    return TemporalHead(
        weights=tuple(float(v) for v in found.x[:-1]),
        bias=float(found.x[-1]),
        weights_sha256=weights_sha256,
    )


def compare_rules(
    people: Sequence[JudgedPerson], calibrator: Calibrator, *, resamples: int = 400
) -> Compared:
    """The rules beside the head, which is fitted without the source that it is judged on.

    Raises:
        TrainingError: fewer than two sources, or too few people in those that are left.
    """
    known, labels, sources = _known(people)
    names = sorted(set(sources.tolist()))
    if len(names) < 2:
        raise TrainingError(
            "A head over time is judged on a source left out; the clips are of one source.",
            hint="Give the judged clips of two sources or more.",
            code="too-few-sources",
        )
    logits = {
        rule: np.array([clip_logit(p.seconds, p.logits, rule) for p in known])
        for rule in CLIP_RULES
    }
    logits["head"] = np.zeros(len(known))
    for name in names:
        out = sources == name
        head = fit_head([p for p, left in zip(known, out, strict=True) if not left], calibrator)
        for number in np.flatnonzero(out):
            logits["head"][number] = known[number].logit(head)
    groups = np.array([p.clip for p in known])
    table = {
        name: {
            rule: _measured(auroc, "auroc", labels[own], logits[rule][own], groups[own], resamples)
            for rule in logits
        }
        for name in [*names, "all"]
        for own in [(sources == name) | (name == "all")]
    }
    gain = {
        rule: _measured(
            _over_mean,
            "gain",
            labels,
            np.stack([values, logits["mean"]], axis=1),
            groups,
            resamples,
        )
        for rule, values in logits.items()
    }
    calibration = {}
    for rule, values in logits.items():
        chance = _probabilities(calibrator, values)
        calibration[rule] = {
            "ece": ece(labels, chance, bins=5),
            **_measured(brier, "brier", labels, chance, groups, resamples),
            "reliability": reliability(labels, chance, bins=5),
        }
    return Compared(
        sources=table,
        calibration=calibration,
        gain=gain,
        people={
            name: tuple(int(((sources == name) & (labels == k)).sum()) for k in (0, 1))  # type: ignore[misc]
            for name in names
        },
        best=_best(table),
    )


def _best(table: dict[str, dict[str, dict[str, float | None]]]) -> str:
    def score(name: str, rule: str) -> float:
        return table[name][rule]["auroc"] or 0.0

    fit = [r for r in table["all"] if all(score(n, r) >= score(n, "mean") for n in table)]
    return max(fit, key=lambda rule: score("all", rule))


def _over_mean(labels: Labels, both: Array) -> float | None:
    """By how much the AUROC of the first column is above that of the second."""
    own, mean = (auroc(labels, column) for column in both.T)
    return None if own is None or mean is None else own - mean


def _measured(
    metric: Callable[[Labels, Array], float | None],
    name: str,
    labels: Labels,
    scores: Array,
    groups: NDArray[np.str_],
    resamples: int,
) -> dict[str, float | None]:
    ends = bootstrap_interval(metric, labels, scores, groups.tolist(), resamples=resamples)
    low, high = ends or (None, None)
    return {name: metric(labels, scores), "low": low, "high": high}


def _known(people: Sequence[JudgedPerson]) -> tuple[list[JudgedPerson], Labels, NDArray[np.str_]]:
    known = [p for p in people if p.moments and not p.again]
    labels = np.array([int(p.manipulated) for p in known], np.int64)
    return known, labels, np.array([p.source for p in known])


def _probabilities(calibrator: Calibrator, logits: Array) -> Array:
    return np.array([calibrator.calibrate(float(x)).probability for x in logits])
