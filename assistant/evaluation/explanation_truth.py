"""What was measured on a face, as plain values that claims are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.evidence import (
    ChangeFact,
    CueFact,
    DomainFact,
    EffectFact,
    FramesFact,
    MapLimitFact,
    MissesFact,
    NoCueFact,
    OriginFact,
    SmallestSetFact,
    SpreadFact,
)
from assistant.types import FaceAnalysis, next_of, peak_of

__all__ = ["Claim", "Truth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim: its kind (number, verdict, region, quality, origin, other) and its truth."""

    kind: str
    said: str
    true: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was measured on one face, as plain numbers and names.

    ``numbers`` holds, by what a sentence is about, every percentage (0 to 100) or amount that may
    be said; ``regions`` whether a region stands out, its share in percent and its lift;
    ``peak`` where the map is strongest, ``next`` where it is next strongest; ``effects`` the
    percentages before and after neutralising a region and the verdict then; ``changed`` every
    verdict that some re-scoring gave; ``crop_alone`` whether the face was scored without the
    picture around it; ``cues`` the two places and the numbers of each visible cue; ``cues_judged``
    how many were measured where none speaks.
    """

    verdict: str
    numbers: Mapping[str, Sequence[float]]
    regions: Mapping[str, tuple[bool, float, float]]
    peak: str
    next: str
    issues: frozenset[str]
    origins: frozenset[str]
    effects: Mapping[str, tuple[float, float, str]]
    changed: frozenset[str]
    like_known: bool | None = None
    crop_alone: bool = False
    cues: tuple[tuple[tuple[str, str], tuple[float, ...]], ...] = ()
    cues_judged: int | None = None

    @classmethod
    def of(cls, result: FaceAnalysis) -> Truth:
        """The measured values of an analysis; texts of facts are not read."""
        score, evidence = result.score, result.evidence
        numbers: dict[str, list[float]] = {
            "probability": [100 * score.probability],
            "interval": [100 * v for v in score.interval],
            "threshold": [100 * v for v in score.thresholds],
            "quality": [v for n in result.face.quality for v in (n.value, n.limit)],
            "effect": [],
            "change": [],
            "frames": [],
            "map": [100 * f.share for f in evidence.of(MapLimitFact) if f.share is not None],
            "misses": [
                100 * share
                for fact in evidence.of(MissesFact)
                for one in fact.misses
                for share in (one.missed, one.caught or 0.0)
            ],
        }
        effects: dict[str, tuple[float, float, str]] = {}
        changed = set[str]()
        like_known = None
        for fact in evidence.facts:
            if isinstance(fact, (EffectFact, SmallestSetFact, ChangeFact)):
                changed.add(fact.verdict_after.words)
            if isinstance(fact, EffectFact):
                before, after = 100 * fact.before, 100 * fact.after
                numbers["effect"] += [before, after, abs(100 * fact.control)]
                effects[fact.region] = (before, after, fact.verdict_after.words)
            elif isinstance(fact, SmallestSetFact):
                numbers["effect"].append(100 * fact.after)
            elif isinstance(fact, ChangeFact):
                numbers["change"] += [100 * fact.before, 100 * fact.probability]
            elif isinstance(fact, SpreadFact):
                numbers["change"] += [100 * fact.low, 100 * fact.high, fact.count]
            elif isinstance(fact, FramesFact):
                numbers["frames"] = [fact.frames, 100 * fact.low, 100 * fact.high]
            elif isinstance(fact, DomainFact):
                like_known = fact.inside
        return cls(
            verdict=score.verdict.words,
            numbers=numbers,
            regions={r.region: (r.stands_out, 100 * r.share, r.lift) for r in result.regions},
            peak=getattr(peak_of(result.regions), "region", ""),
            next=getattr(next_of(result.regions), "region", ""),
            issues=frozenset(n.issue.value for n in result.face.quality),
            origins=frozenset(f.source for f in evidence.of(OriginFact)) - {"none"},
            effects=effects,
            changed=frozenset(changed),
            like_known=like_known,
            cues=tuple((fact.places, _cue_numbers(fact)) for fact in evidence.of(CueFact)),
            cues_judged=next((fact.judged for fact in evidence.of(NoCueFact)), None),
            crop_alone=any(f.method == "left-out" for f in evidence.of(EffectFact)),
        )


def _cue_numbers(fact: CueFact) -> tuple[float, ...]:
    rates = [(r.share, r.low, r.high) for r in (fact.genuine, fact.manipulated)]
    return (fact.value, *(100 * value for rate in rates for value in rate))
