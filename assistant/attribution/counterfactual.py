"""What a score would have been: without a region, and after everyday changes of the file.

The values made here are measured, never generated. A change of probability is always *after* minus
*before*: negative means that the face looked less manipulated without that region.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.neutralise import (
    VARIATIONS,
    CounterfactualMethod,
    neutralise,
    random_patch,
)
from assistant.attribution.regions import LEAST_AREA, region_masks
from assistant.errors import InferenceError
from assistant.interfaces import Calibrator, Detector
from assistant.types import REGIONS, Calibrated, Image, Verdict

__all__ = [
    "Counterfactual",
    "CounterfactualCard",
    "CounterfactualMethod",
    "MinimalSet",
    "probe",
    "region_effects",
]

#: The minimal set is looked for among at most this many regions.
_LARGEST_SET = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """One region neutralised and the face scored again.

    Attributes:
        region: one of :data:`assistant.types.REGIONS`.
        method: how it was neutralised: ``inpaint`` (filled from its rim), ``blur``, ``mean`` (the
            mean colour of the face) or ``mirror`` (the other side of the face, flipped).
        area: share of the crop that was changed, in (0, 1].
        probability_before: P(manipulated) of the untouched crop.
        probability_after: P(manipulated) with the region neutralised.
        logit_change: raw score after minus before; finer than the probability near 0 and 1.
        verdict_after: the verdict of ``probability_after``.
        control_mean: mean change of probability over ``control_n`` equally large random patches of
            the same crop, neutralised the same way.
        control_std: their standard deviation; 0.0 where ``control_n`` is 1.
        control_logit_mean: mean change of the raw score over the same patches.
        control_n: number of random patches.
    """

    region: str
    method: CounterfactualMethod
    area: float
    probability_before: float
    probability_after: float
    logit_change: float
    verdict_after: Verdict
    control_mean: float
    control_std: float
    control_logit_mean: float
    control_n: int

    @property
    def change(self) -> float:
        """Change of probability: after minus before, in [-1, 1]."""
        return self.probability_after - self.probability_before

    @property
    def matters(self) -> bool:
        """Whether it is at least 0.05 and two deviations beyond the controls' mean."""
        beyond = abs(self.change - self.control_mean) >= 2.0 * self.control_std
        return abs(self.change) >= 0.05 and beyond and abs(self.change) > abs(self.control_mean)


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimalSet:
    """The smallest set of regions found whose neutralising changes the verdict (greedy search).

    ``regions`` is empty, and the two values are the untouched face's, where no set that was tried
    changes it; ``tried`` is the largest set tried.
    """

    regions: tuple[str, ...]
    probability_after: float
    verdict_after: Verdict
    tried: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterfactualCard:
    """All re-scorings of one face.

    Attributes:
        probability: P(manipulated) of the untouched face; ``verdict`` its verdict.
        counterfactuals: one a region, largest absolute change first.
        minimal: the smallest set of regions that changes the verdict.
        after_changes: what each everyday change made of the score, by name, in the order tried.
        scored: number of crops that were scored.
    """

    probability: float
    verdict: Verdict
    counterfactuals: tuple[Counterfactual, ...]
    minimal: MinimalSet
    after_changes: dict[str, Calibrated]
    scored: int = 0


def probe(
    detector: Detector,
    calibrator: Calibrator,
    crop: Image,
    crop_landmarks: NDArray[np.floating],
    *,
    regions: Sequence[str] | None = None,
    method: CounterfactualMethod = "inpaint",
    controls: int = 4,
    variations: Sequence[str] | None = None,
    seed: int = 0,
) -> CounterfactualCard:
    """Score a face again without each region, and after everyday changes of the file.

    All crops but those of the minimal set are scored in one call: 1 + regions + ``controls`` a
    group of alike large regions + ``variations`` (with the defaults 31), then at most 4 more.

    Args:
        detector: scores the crops.
        calibrator: turns scores into probabilities.
        crop: RGB uint8 HWC, as the detector takes it.
        crop_landmarks: 5 x 2 (x, y) in crop pixels.
        regions: which to neutralise; None: every face part. Empty: none (fragility only).
        method: how to neutralise.
        controls: random patches a group of alike large regions.
        variations: names of :data:`assistant.attribution.neutralise.VARIATIONS`; None: all of them.
        seed: of the random patches.

    Returns:
        The card. Where no face part can be named, ``counterfactuals`` is empty; the changes are
        measured all the same.

    Raises:
        InferenceError: a score is not finite.
        ValueError: an unknown region or variation, or fewer than 1 control.
    """
    if controls < 1:
        raise ValueError(f"expected at least 1 control, got {controls}")
    wanted = _known(regions, [r for r in REGIONS if r != "background"], REGIONS, "region")
    named = _known(variations, list(VARIATIONS), tuple(VARIATIONS), "variation")
    masks, face = _visible(crop, crop_landmarks, wanted)
    groups = _alike(masks)

    def without(mask: NDArray[np.bool_]) -> Image:
        return neutralise(crop, mask, method, face=face)

    rng = np.random.default_rng(seed)
    crops = [crop, *(without(mask) for mask in masks.values())]
    for area in sorted(set(groups.values())):
        patches = (random_patch(crop.shape[:2], area, rng, within=face) for _ in range(controls))
        crops += [without(patch) for patch in patches]
    crops += [VARIATIONS[name](crop) for name in named]
    logits = _scores(detector, crops)
    verdicts = [calibrator.calibrate(float(x)) for x in logits]
    before = verdicts[0]

    first_control = 1 + len(masks)
    found = []
    for i, (region, mask) in enumerate(masks.items(), start=1):
        start = first_control + sorted(set(groups.values())).index(groups[region]) * controls
        control = slice(start, start + controls)
        moved = np.array([v.probability for v in verdicts[control]]) - before.probability
        moved_logits = logits[control] - logits[0]
        found.append(
            Counterfactual(
                region=region,
                method=method,
                area=float(mask.mean()),
                probability_before=before.probability,
                probability_after=verdicts[i].probability,
                logit_change=float(logits[i] - logits[0]),
                verdict_after=verdicts[i].verdict,
                control_mean=float(moved.mean()),
                control_std=float(moved.std()),
                control_logit_mean=float(moved_logits.mean()),
                control_n=controls,
            )
        )
    minimal, more = _minimal_set(detector, calibrator, before, found, masks, without)
    return CounterfactualCard(
        probability=before.probability,
        verdict=before.verdict,
        counterfactuals=tuple(sorted(found, key=lambda c: -abs(c.change))),
        minimal=minimal,
        after_changes=dict(zip(named, verdicts[len(verdicts) - len(named) :], strict=True)),
        scored=len(crops) + more,
    )


def region_effects(
    detector: Detector,
    crop: Image,
    crop_landmarks: NDArray[np.floating],
    *,
    method: CounterfactualMethod = "inpaint",
) -> dict[str, float]:
    """What taking out each face part alone does to the raw score: after minus before.

    One batch without controls: it tells which parts are worth a :func:`probe`, not whether chance
    does the same. Empty where no face part can be named.

    Raises:
        InferenceError: a score is not finite.
    """
    names = [name for name in REGIONS if name != "background"]
    masks, face = _visible(crop, crop_landmarks, names)
    if not masks:
        return {}
    without = [neutralise(crop, mask, method, face=face) for mask in masks.values()]
    logits = _scores(detector, [crop, *without])
    return dict(zip(masks, (float(x - logits[0]) for x in logits[1:]), strict=True))


def _known(
    names: Sequence[str] | None, default: list[str], allowed: Sequence[str], what: str
) -> list[str]:
    if names is None:
        return default
    for name in names:
        if name not in allowed:
            raise ValueError(f"unknown {what} {name!r}; there are {', '.join(allowed)}")
    return list(names)


def _visible(
    crop: Image, crop_landmarks: NDArray[np.floating], wanted: Sequence[str]
) -> tuple[dict[str, NDArray[np.bool_]], NDArray[np.bool_] | None]:
    """The parts that lie inside the crop, and the face; none where no part can be named."""
    try:
        masks = region_masks(crop_landmarks, (crop.shape[0], crop.shape[1]))
    except InferenceError:
        return {}, None
    seen = {n: masks[n] for n in wanted if LEAST_AREA <= masks[n].mean() < 1.0}
    return seen, np.asarray(~masks["background"])


def _alike(masks: Mapping[str, NDArray[np.bool_]]) -> dict[str, float]:
    """Each region's group, named by its mean area: areas within 20 % share their controls."""
    areas = sorted((float(mask.mean()), name) for name, mask in masks.items())
    groups: list[list[tuple[float, str]]] = []
    for area, name in areas:
        if groups and area <= 1.2 * groups[-1][0][0]:
            groups[-1].append((area, name))
        else:
            groups.append([(area, name)])
    return {
        name: float(np.mean([area for area, _ in group])) for group in groups for _, name in group
    }


def _scores(detector: Detector, crops: Sequence[Image]) -> NDArray[np.float64]:
    logits = np.asarray(detector.logits(crops), np.float64)
    if logits.shape != (len(crops),) or not np.isfinite(logits).all():
        raise InferenceError(
            f"{detector.name} gave {logits.shape} scores for {len(crops)} crops, "
            f"{int((~np.isfinite(logits)).sum())} of them not finite.",
            hint="Run `whyfake weights verify`.",
            code="score-not-finite",
        )
    return logits


def _minimal_set(
    detector: Detector,
    calibrator: Calibrator,
    before: Calibrated,
    found: Sequence[Counterfactual],
    masks: Mapping[str, NDArray[np.bool_]],
    without: Callable[[NDArray[np.bool_]], Image],
) -> tuple[MinimalSet, int]:
    """Greedy: the regions that move the score most towards another verdict, one after another."""
    sign = 1.0 if before.verdict is Verdict.NO_SIGN else -1.0
    helpful = sorted(
        (c for c in found if sign * c.logit_change > 0), key=lambda c: -sign * c.logit_change
    )
    order = tuple(c.region for c in helpful[:_LARGEST_SET])
    tries = [(c.probability_after, c.verdict_after) for c in helpful[:1]]
    more = 0
    if len(order) > 1 and tries[0][1] is before.verdict:
        unions = [np.any([masks[r] for r in order[:n]], axis=0) for n in range(2, len(order) + 1)]
        logits = _scores(detector, [without(union) for union in unions])
        more = len(unions)
        after = (calibrator.calibrate(float(logit)) for logit in logits)
        tries += [(each.probability, each.verdict) for each in after]
    for n, (probability, verdict) in enumerate(tries, start=1):
        if verdict is not before.verdict:
            done = MinimalSet(
                regions=order[:n],
                probability_after=probability,
                verdict_after=verdict,
                tried=order[:n],
            )
            return done, more
    none = MinimalSet(
        regions=(),
        probability_after=before.probability,
        verdict_after=before.verdict,
        tried=order,
    )
    return none, more
