"""Weak spots of a verdict: which a case has, and which of them its explanation names.

A reader can only notice that the detector is wrong where the text says what the verdict stands on
weakly. Which weak spots there are is read from the facts, which are named from the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from assistant.evidence import (
    ChangeFact,
    CueFact,
    DomainFact,
    EffectFact,
    NoCueFact,
    QualityFact,
    RegionFact,
    ScoreFact,
    SmallestSetFact,
    SpreadFact,
    VerdictFact,
)
from assistant.types import Evidence, Verdict

__all__ = ["WEAK", "named_weak_spots", "weak_spots"]


def _causes(evidence: Evidence) -> bool:
    return any(fact.effect == "lowers" for fact in evidence.of(EffectFact))


#: Each weak spot: whether a case has it, and how a text that names it reads (in lower case).
WEAK: Mapping[str, tuple[Callable[[Evidence], bool], re.Pattern[str]]] = {
    "close to another verdict": (
        lambda e: any(f.crosses or f.verdict is Verdict.UNCERTAIN for f in e.of(VerdictFact)),
        re.compile(r"\bclose\b|another verdict|\buncertain\b|crosses a threshold"),
    ),
    "wide interval": (
        lambda e: any(f.width == "wide" for f in e.of(ScoreFact)),
        re.compile(r"\bwide\b|number with care"),
    ),
    "unlike the faces it was calibrated on": (
        lambda e: any(not f.inside for f in e.of(DomainFact)),
        re.compile(r"\bunlike\b|not calibrated on|outside what the detector knows"),
    ),
    "few facts": (
        lambda e: not (bool(e.of(CueFact)) or bool(e.of(RegionFact)) or _causes(e)),
        re.compile(r"no region|hardly moves|eye does not see|nothing that can be seen"),
    ),
    "no visible cue": (
        lambda e: bool(e.of(NoCueFact)),
        re.compile(r"eye does not see|nothing that can be seen|no visible cue"),
    ),
    "one region turns it": (
        lambda e: (
            any(f.changes_verdict for f in e.of(EffectFact))
            or any(f.regions for f in e.of(SmallestSetFact))
        ),
        re.compile(r"verdict would|verdict changes|would no longer|turns? the verdict"),
    ),
    "everyday changes turn it": (
        lambda e: (
            any(f.flips for f in e.of(SpreadFact))
            or any(f.verdict_after is not e.verdict for f in e.of(ChangeFact))
        ),
        re.compile(r"verdict changes|verdict would"),
    ),
    "poor picture": (
        lambda e: bool(e.of(QualityFact)),
        re.compile(r"trust the score less|strongly compressed|blurred|turned away|\bdark\b"),
    ),
}


def weak_spots(evidence: Evidence) -> list[str]:
    """The weak spots that a case has."""
    return [name for name, (has, _) in WEAK.items() if has(evidence)]


def named_weak_spots(text: str, there: list[str]) -> list[str]:
    """Those of ``there`` that ``text`` names."""
    low = text.lower()
    return [name for name in there if WEAK[name][1].search(low)]
