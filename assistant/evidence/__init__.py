"""Evidence: a face's case as numbered, exact facts. Pure; the only account a prompt may read.

Each kind of fact is one frozen class: what was measured (its fields), what may be claimed of it, and
its JSON. Its sentences lie beside it, by language, in ``sentences/`` under its module's name.
``KINDS`` lists them all. To add one: a class in a file here, its sentences, its line in ``KINDS``,
and an example of it in ``tests/unit/evidence/examples.py``, which the contract of all kinds then
tests.
"""

from assistant.evidence.build import build_evidence, renumbered
from assistant.evidence.changes import ChangeFact, SpreadFact
from assistant.evidence.cues import CueFact, NoCueFact, cue_facts
from assistant.evidence.domain import DomainFact
from assistant.evidence.effects import EffectFact, SmallestSetFact
from assistant.evidence.kind import KindFact
from assistant.evidence.limits import MapLimitFact, NotProofFact, NotSeenFact
from assistant.evidence.misses import MissesFact
from assistant.evidence.names import quotable_name
from assistant.evidence.opinions import AgreementFact, OpinionFact, told_opinions
from assistant.evidence.origin import OriginFact
from assistant.evidence.quality import FlawlessFact, QualityFact
from assistant.evidence.regions import NextFact, OtherRegionsFact, RegionFact, StrongestFact
from assistant.evidence.score import FramesFact, ScoreFact, VerdictFact
from assistant.evidence.time import NoStretchFact, PeakFact, StretchFact, clock, time_facts
from assistant.evidence.time_asked import MomentFact, OtherPersonFact, PartFact, other_people
from assistant.numbers import percent
from assistant.types import Evidence, Fact, FactKind

__all__ = [
    "KINDS",
    "AgreementFact",
    "ChangeFact",
    "CueFact",
    "DomainFact",
    "EffectFact",
    "Evidence",
    "Fact",
    "FactKind",
    "FlawlessFact",
    "FramesFact",
    "KindFact",
    "MapLimitFact",
    "MissesFact",
    "MomentFact",
    "NextFact",
    "NoCueFact",
    "NoStretchFact",
    "NotProofFact",
    "NotSeenFact",
    "OpinionFact",
    "OriginFact",
    "OtherPersonFact",
    "OtherRegionsFact",
    "PartFact",
    "PeakFact",
    "QualityFact",
    "RegionFact",
    "ScoreFact",
    "SmallestSetFact",
    "SpreadFact",
    "StretchFact",
    "StrongestFact",
    "VerdictFact",
    "build_evidence",
    "clock",
    "cue_facts",
    "other_people",
    "percent",
    "quotable_name",
    "renumbered",
    "time_facts",
    "told_opinions",
]

#: Every kind of fact. A text is checked by the last first, so that what is most particular comes
#: first to its words, and the verdict to those that are left.
KINDS: tuple[type[Fact], ...] = (
    VerdictFact,
    ScoreFact,
    FramesFact,
    KindFact,
    RegionFact,
    StrongestFact,
    NextFact,
    OtherRegionsFact,
    QualityFact,
    FlawlessFact,
    OriginFact,
    EffectFact,
    SmallestSetFact,
    SpreadFact,
    ChangeFact,
    DomainFact,
    CueFact,
    NoCueFact,
    PeakFact,
    NoStretchFact,
    MomentFact,
    PartFact,
    OtherPersonFact,
    StretchFact,
    NotProofFact,
    MapLimitFact,
    NotSeenFact,
    MissesFact,
    AgreementFact,
    OpinionFact,
)
