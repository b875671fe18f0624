"""Which facts a model is told: those that an explanation or the question at hand is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from assistant.evidence import (
    ChangeFact,
    CueFact,
    DomainFact,
    EffectFact,
    FlawlessFact,
    FramesFact,
    MapLimitFact,
    MissesFact,
    NotProofFact,
    OriginFact,
    OtherRegionsFact,
    QualityFact,
    RegionFact,
    ScoreFact,
    SpreadFact,
    StretchFact,
    StrongestFact,
    VerdictFact,
)
from assistant.routing import QuestionKind, regions_in
from assistant.types import Evidence, Fact, FactKind, Verdict
from assistant.vlm.composition.asked_changes import names

__all__ = ["must_be_told", "to_the_point"]

#: A prompt of more facts costs a small model seconds, and it picks the wrong ones.
_MOST = 9


def to_the_point(evidence: Evidence, kind: QuestionKind | None, question: str = "") -> Evidence:
    """The case with at most nine facts, those to be told first in front.

    Args:
        evidence: the case with all its facts.
        kind: of the question; None for an explanation.
        question: what is asked; the regions and changes that it names are read.
    """
    case = _Case(evidence, question)
    chosen = _CHOSEN.get(kind, _why)(case) if kind else _explanation(case)
    once: dict[str, Fact] = {}
    for fact in chosen:
        if fact is not None:
            once.setdefault(fact.id, fact)
    return replace(evidence, facts=tuple(once.values())[:_MOST])


def must_be_told(facts: Sequence[Fact]) -> frozenset[str]:
    """Ids of those facts of an explanation that it does not leave out.

    Verdict and score; the first cause and the first cue, else where the map is strongest; that the
    face lies outside what is known, that everyday changes turn the verdict, what the detector
    misses, and that the score is no proof.
    """
    always = (VerdictFact, ScoreFact, SpreadFact, DomainFact, MissesFact, NotProofFact)
    needed: list[Fact] = [f for f in facts if isinstance(f, always)]
    causes = [f for f in facts if isinstance(f, EffectFact)][:1]
    cues = [f for f in facts if f.kind is FactKind.CUE][:1]
    needed += [*causes, *cues]
    if not causes and not any(isinstance(f, CueFact) for f in cues):
        needed += [f for f in facts if isinstance(f, (RegionFact, StrongestFact))][:1]
    return frozenset(fact.id for fact in needed)


class _Case:
    """What can be chosen of one case."""

    def __init__(self, evidence: Evidence, question: str) -> None:
        self.evidence = evidence
        self.question = question
        self.verdict = evidence.first(VerdictFact)
        self.score = evidence.first(ScoreFact)
        self.spread = evidence.first(SpreadFact)
        self.proof = evidence.first(NotProofFact)
        self.cues = evidence.of_kind(FactKind.CUE)
        effects = evidence.of(EffectFact)
        lowers = [fact for fact in effects if fact.effect == "lowers"]
        rest = [fact for fact in effects if fact not in lowers]
        #: What lowers the score most comes first.
        self.effects = [*sorted(lowers, key=lambda f: f.change), *rest]
        self.causes = self.effects[: len(lowers)]
        self.quality = evidence.of(QualityFact)
        domain = evidence.first(DomainFact)
        self.domain = domain
        self.outside = domain if domain is not None and not domain.inside else None

    def regions(self, most: int) -> Iterable[Fact]:
        """Where the map is strongest or stands out, the face first; else that none does."""
        found: list[Fact] = [*self.evidence.of(RegionFact), *self.evidence.of(StrongestFact)]
        found.sort(key=lambda fact: getattr(fact, "region", "") == "background")
        return (found or [*self.evidence.of(OtherRegionsFact)])[:most]

    def time(self) -> Iterable[Fact]:
        """Of a clip, the stretches that stand out."""
        return [*self.evidence.of(StretchFact)[:2], *self.evidence.of(FramesFact)]


def _explanation(case: _Case) -> list[Fact | None]:
    quiet = case.evidence.verdict is Verdict.NO_SIGN
    spoken: list[Fact] = [f for f in case.cues if isinstance(f, CueFact)]
    seen = (spoken or [*case.cues])[:1]
    flips = case.spread if case.spread is not None and case.spread.flips else None
    return [
        case.verdict,
        case.score,
        *case.time(),
        *case.causes[:1],
        *seen,
        *case.regions(1),
        *case.quality[:1],
        case.outside,
        flips,
        case.evidence.first(MissesFact) if quiet else None,
        case.proof,
    ]


def _verdict(case: _Case) -> list[Fact | None]:
    return [case.verdict, case.score, case.proof]


def _why(case: _Case) -> list[Fact | None]:
    return [
        case.verdict,
        case.score,
        *case.causes[:1],
        *case.cues[:1],
        *case.regions(2),
        *(case.effects[:1] if not case.causes else ()),
        case.evidence.first(MapLimitFact),
    ]


def _where(case: _Case) -> list[Fact | None]:
    asked = regions_in(case.question)
    if asked:
        about = [f for f in (*case.regions(9), *case.effects) if getattr(f, "region", "") in asked]
        return [*about, case.evidence.first(OtherRegionsFact), case.verdict]
    seen = [f for f in case.cues if isinstance(f, CueFact)]
    return [
        *seen[:2],
        *case.causes[:2],
        *case.regions(3),
        case.evidence.first(OtherRegionsFact),
        case.verdict,
        case.evidence.first(MapLimitFact),
    ]


def _cues(case: _Case) -> list[Fact | None]:
    return [*case.cues[:4], *case.causes[:1], *case.regions(1), case.verdict]


def _how_sure(case: _Case) -> list[Fact | None]:
    return [
        case.score,
        case.verdict,
        case.spread,
        case.domain,
        *case.quality[:1],
        case.proof,
    ]


def _what_if(case: _Case) -> list[Fact | None]:
    regions = regions_in(case.question)
    each = case.evidence.of(ChangeFact)
    named = [f for f in each if names(case.question, f.change)]
    effects = [f for f in case.effects if f.region in regions]
    if regions:
        return [*effects, case.verdict, case.score]
    return [*named[:4], case.spread, *(each[:3] if not named else ()), case.verdict]


def _could_be_wrong(case: _Case) -> list[Fact | None]:
    return [
        case.proof,
        *case.quality[:2],
        case.outside,
        case.spread,
        case.score,
        case.verdict,
        case.evidence.first(MissesFact),
    ]


def _quality(case: _Case) -> list[Fact | None]:
    return [*case.quality[:4], case.evidence.first(FlawlessFact), case.score]


def _provenance(case: _Case) -> list[Fact | None]:
    return [*case.evidence.of(OriginFact)[:3], case.score]


def _summary(case: _Case) -> list[Fact | None]:
    causes = [*case.causes[:1], *[f for f in case.cues if isinstance(f, CueFact)][:1]]
    return [
        case.verdict,
        case.score,
        *(causes or case.regions(1)),
        *case.quality[:1],
        case.proof,
    ]


_CHOSEN: Mapping[QuestionKind, Callable[[_Case], list[Fact | None]]] = {
    QuestionKind.VERDICT: _verdict,
    QuestionKind.WHY: _why,
    QuestionKind.WHERE: _where,
    QuestionKind.CUES: _cues,
    QuestionKind.HOW_SURE: _how_sure,
    QuestionKind.WHAT_IF: _what_if,
    QuestionKind.COULD_BE_WRONG: _could_be_wrong,
    QuestionKind.QUALITY: _quality,
    QuestionKind.PROVENANCE: _provenance,
    QuestionKind.SUMMARY: _summary,
}
