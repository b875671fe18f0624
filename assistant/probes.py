"""Causal checks as facts: neutralise a region or change the file, and score again."""

from __future__ import annotations

from assistant.attribution.counterfactual import CounterfactualMethod, probe, region_effects
from assistant.evidence import ChangeFact, EffectFact, SmallestSetFact, SpreadFact
from assistant.interfaces import Calibrator, Detector
from assistant.types import FaceAnalysis, Fact, Verdict, next_of, peak_of, ranked_regions

__all__ = ["fragility_facts", "region_facts"]

_MOST_REGIONS = 3
_CONTROLS = 3


def region_facts(
    result: FaceAnalysis,
    detector: Detector,
    calibrator: Calibrator,
    *,
    method: CounterfactualMethod = "inpaint",
) -> tuple[Fact, ...]:
    """C facts: parts the map points to most and the one the score rests on, each neutralised.

    The map points to the part at which it is strongest, and to those that stand out. What the score
    rests on may be another: where something was found, every part in view is taken out once, and
    the one that lowers the score most is probed too.

    Args:
        result: the face, with its regions.
        detector: scores it again.
        calibrator: the detector's.
        method: how to neutralise.

    Raises:
        InferenceError: a score is not finite.
    """
    facts: list[Fact] = []
    ranked = [r for r in ranked_regions(result.regions) if r.region != "background"]
    if not ranked:
        return tuple(facts)
    pointed = [r.region for r in ranked if r.stands_out][:_MOST_REGIONS]
    peak = peak_of(result.regions)
    if peak is not None and peak.region not in (*pointed, "background"):
        pointed.insert(0, peak.region)
    after = next_of(result.regions)
    named = {*pointed, *([after.region] if after is not None else [])}
    chosen = list(pointed)
    if result.score.verdict is not Verdict.NO_SIGN:
        crop, points = result.face.crop, result.face.crop_landmarks
        effects = region_effects(detector, crop, points, method=method)
        strongest = min(effects, key=lambda name: effects[name], default="")
        if strongest and effects[strongest] < 0 and strongest not in chosen:
            chosen.append(strongest)
    chosen = chosen or [ranked[0].region]
    card = probe(
        detector,
        calibrator,
        result.face.crop,
        result.face.crop_landmarks,
        regions=chosen,
        method=method,
        controls=_CONTROLS,
        variations=(),
    )
    facts += [
        EffectFact(
            id=f"C{number}",
            region=found.region,
            before=found.probability_before,
            after=found.probability_after,
            matters=found.matters,
            stands_out=found.region in named,
            verdict=card.verdict,
            verdict_after=found.verdict_after,
            control=found.control_mean,
            control_n=found.control_n,
            method=found.method,
        )
        for number, found in enumerate(card.counterfactuals, start=1 + len(facts))
    ]
    if len(card.minimal.tried) > 1:
        facts.append(
            SmallestSetFact(
                id=f"C{len(facts) + 1}",
                regions=tuple(card.minimal.regions),
                after=card.minimal.probability_after,
                verdict_after=card.minimal.verdict_after,
                tried=tuple(card.minimal.tried),
            )
        )
    return tuple(facts)


def fragility_facts(
    result: FaceAnalysis, detector: Detector, calibrator: Calibrator
) -> tuple[Fact, ...]:
    """F facts: the spread over everyday changes of the file, then each change.

    Raises:
        InferenceError: a score is not finite.
    """
    card = probe(
        detector,
        calibrator,
        result.face.crop,
        result.face.crop_landmarks,
        regions=(),
        controls=1,
    )
    changes = [(name, c.probability, c.verdict) for name, c in card.after_changes.items()]
    facts: list[Fact] = [SpreadFact.of("F1", card.verdict, changes)]
    facts += [
        ChangeFact(
            id=f"F{number}",
            change=name,
            before=card.probability,
            probability=probability,
            verdict=card.verdict,
            verdict_after=verdict,
        )
        for number, (name, probability, verdict) in enumerate(changes, start=2)
    ]
    return tuple(facts)
