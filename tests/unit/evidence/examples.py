"""One example or more of each kind of fact, for the contract that all of them keep."""

from __future__ import annotations

from dataclasses import replace

from assistant.evidence import (
    AgreementFact,
    ChangeFact,
    CueFact,
    DomainFact,
    EffectFact,
    Fact,
    FlawlessFact,
    FramesFact,
    KindFact,
    MapLimitFact,
    MissesFact,
    MomentFact,
    NextFact,
    NoCueFact,
    NoStretchFact,
    NotProofFact,
    NotSeenFact,
    OpinionFact,
    OriginFact,
    OtherPersonFact,
    OtherRegionsFact,
    PartFact,
    PeakFact,
    QualityFact,
    RegionFact,
    ScoreFact,
    SmallestSetFact,
    SpreadFact,
    StretchFact,
    StrongestFact,
    VerdictFact,
)
from assistant.types import BaseRate, Missed, Opinion, QualityIssue, Told, Verdict

_FAKE, _UNSURE, _REAL = Verdict.LIKELY_MANIPULATED, Verdict.UNCERTAIN, Verdict.NO_SIGN


def _verdict(verdict: Verdict, *, crosses: bool = False, abstained: bool = False) -> VerdictFact:
    probability = {_FAKE: 0.93, _UNSURE: 0.52, _REAL: 0.08}[verdict]
    return VerdictFact(
        id="S2",
        verdict=verdict,
        probability=probability,
        lower=0.3,
        upper=0.7,
        crosses=crosses,
        abstained=abstained,
    )


def _agreement(*values: float) -> AgreementFact:
    names = ("xception", "clip-probe", "sbi", "effort")
    said = tuple(
        Opinion(detector=name, value=value, calibrated=name != "sbi")
        for name, value in zip(names, values, strict=False)
    )
    return AgreementFact(id="O1", opinions=said)


def _opinion(value: float, verdict: Verdict, *, calibrated: bool = True) -> OpinionFact:
    return OpinionFact(
        id="O1",
        opinion=Opinion(detector="xception", value=value, calibrated=calibrated),
        low=value - 0.05,
        high=value + 0.05,
        verdict=verdict,
        first="clip-ln",
        first_verdict=_FAKE,
    )


def _effect(after: float, verdict_after: Verdict, *, matters: bool, out: bool) -> EffectFact:
    return EffectFact(
        id="C1",
        region="left eye",
        before=0.9,
        after=after,
        matters=matters,
        stands_out=out,
        verdict=_FAKE,
        verdict_after=verdict_after,
        control=-0.02,
        control_n=3,
    )


def _change(after: float, verdict_after: Verdict) -> ChangeFact:
    return ChangeFact(
        id="F2",
        change="half size",
        before=0.9,
        probability=after,
        verdict=_FAKE,
        verdict_after=verdict_after,
    )


def _cue(value: float, unit: str, *, first: str = "mouth", visible: bool = True) -> CueFact:
    return CueFact(
        id="V1",
        cue_name="mouth-detail",
        quantity="fine detail",
        value=value,
        unit=unit,
        places=(first, "skin of the face"),
        boxes=((1.0, 2.0, 3.0, 4.0), (0.0, 0.0, 9.0, 9.0)),
        genuine=BaseRate(share=0.02, low=0.01, high=0.05, faces=250),
        manipulated=BaseRate(share=0.11, low=0.08, high=0.16, faces=250),
        visible=visible,
    )


MISSES = (
    Missed(
        family="face swaps", missed=0.58, low=0.4, high=0.7, pictures=96, sources=2, caught=0.11
    ),
    Missed(
        family="portraits by GANs",
        missed=0.002,
        low=0.0,
        high=0.02,
        pictures=475,
        sources=4,
        caught=0.71,
    ),
)


def _stretch(begin: float, end: float, elsewhere: float | None) -> StretchFact:
    return StretchFact(
        id="T1",
        begin=begin,
        end=end,
        peak=end - 1.0,
        probability=0.93,
        low=0.9,
        high=0.95,
        verdict=_FAKE,
        elsewhere=elsewhere,
    )


TOLD = Told(kind="made", right=0.81, low=0.7, high=0.9, pictures=120)

EXAMPLES: tuple[Fact, ...] = (
    ScoreFact(id="S1", probability=0.93, low=0.88, high=0.97),
    ScoreFact(id="S1", probability=0.002, low=0.0, high=0.3),
    ScoreFact(id="S1", probability=0.998, low=0.996, high=1.0),
    ScoreFact(id="S1", probability=0.45, low=0.4, high=0.48, unseen=True),
    *(_verdict(verdict, crosses=True) for verdict in Verdict),
    _verdict(_UNSURE, abstained=True),
    ScoreFact(id="S1", probability=0.73, low=0.0, high=1.0, calibrated=False),
    replace(_verdict(_FAKE), calibrated=False),
    replace(_verdict(_UNSURE), calibrated=False, lower=0.0, upper=1.0),
    FramesFact(id="S3", frames=12, low=0.2, high=0.9),
    RegionFact(id="R1", region="left eye", share=0.3, area=0.1, lift=3.0, rank=1),
    RegionFact(id="R2", region="background", share=0.3, area=0.3, lift=1.0, rank=2),
    StrongestFact(id="R1", region="left eye", share=0.3, area=0.1, lift=3.0),
    NextFact(id="R2", region="mouth", share=0.2, area=0.1, lift=2.0),
    OtherRegionsFact(id="R1", regions=("nose", "jaw"), alone=True),
    OtherRegionsFact(id="R3", regions=("nose", "jaw"), alone=False),
    *(QualityFact(id="Q1", issue=issue, value=12.5, limit=40, unit="px") for issue in QualityIssue),
    FlawlessFact(id="Q1"),
    *(OriginFact(id="P1", source=s) for s in ("none", "c2pa", "editor", "generator")),
    *(OriginFact(id="P1", source="c2pa", signature=s) for s in ("valid", "broken")),
    OriginFact(id="P1", source="camera", name="Canon EOS R5"),
    _effect(0.5, _UNSURE, matters=True, out=True),
    _effect(0.99, _FAKE, matters=True, out=False),
    _effect(0.9, _FAKE, matters=False, out=True),
    _effect(0.75, _FAKE, matters=False, out=False),
    SmallestSetFact(
        id="C2", regions=("nose", "jaw"), after=0.2, verdict_after=_REAL, tried=("nose", "jaw")
    ),
    SmallestSetFact(id="C2", regions=(), after=0.9, verdict_after=_FAKE, tried=("nose", "jaw")),
    SpreadFact(id="F1", count=3, low=0.5, high=0.9, flips=("half size", "mirrored")),
    SpreadFact(id="F1", count=3, low=0.9, high=0.9, flips=()),
    _change(0.6, _UNSURE),
    _change(0.8, _FAKE),
    DomainFact(id="D1", inside=True, distance=1, limit=2),
    DomainFact(id="D1", inside=False, distance=3, limit=2, reasons=("the face is small",)),
    DomainFact(id="D1", inside=False, distance=3, limit=2, abstained=True),
    _cue(0.41, "times"),
    _cue(12.5, "units of colour"),
    _cue(8.2, "units of colour", first="cheeks"),
    _cue(-3.0, "dB", visible=False),
    NoCueFact(id="V1", judged=6),
    NoCueFact(id="V1", judged=0, not_judged=(("mouth-detail", "the face is turned away"),)),
    _stretch(3.0, 5.2, 0.4),
    _stretch(0.0, 61.3, None),
    NoStretchFact(id="T1", begin=0.0, end=9.5),
    PeakFact(id="T2", at=4.2, probability=0.97),
    MomentFact(id="T3", at=7.0, read=7.1, probability=0.31),
    MomentFact(id="T3", at=7.0, read=7.1, probability=None),
    MomentFact(id="T3", at=8.0, read=8.2, probability=0.4, judged=False),
    MomentFact(id="T3", at=30.0, read=9.8, probability=None, looked=(0.0, 10.0)),
    PartFact(
        id="T4", begin=1.0, end=2.5, frames=6, probability=0.8, low=0.6, high=0.9, verdict=_FAKE
    ),
    PartFact(id="T4", begin=3.0, end=4.5, frames=0),
    PartFact(id="T4", begin=30.0, end=40.0, frames=0, looked=(0.0, 10.0)),
    KindFact(id="S4", told=TOLD),
    KindFact(id="S4", told=replace(TOLD, kind="laid-in", right=0.72)),
    KindFact(id="S4", told=replace(TOLD, right=0.58)),
    KindFact(id="S4", told=replace(TOLD, right=0.9, low=0.3)),
    OtherPersonFact(id="T51", person=2, probability=0.12, verdict=_REAL),
    NotProofFact(id="L1"),
    MapLimitFact(id="L2"),
    NotSeenFact(id="L3", regions=("jaw",)),
    NotSeenFact(id="L3"),
    MissesFact(id="L4", verdict=_REAL, misses=MISSES),
    MissesFact(id="L4", verdict=_UNSURE, misses=(replace(MISSES[0], caught=None),)),
    _agreement(0.8, 0.7, 0.9, 0.2),
    _agreement(0.1, 0.2, 0.3),
    _agreement(0.8, 0.2),
    _opinion(0.83, _FAKE),
    _opinion(0.41, _UNSURE),
    _opinion(0.7, _UNSURE, calibrated=False),
)
