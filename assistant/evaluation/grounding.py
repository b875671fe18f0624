"""What the check of sentences lets through: a table of true and false sentences on three cases.

Half of the sentences are written as a small model writes, half as a large one does; half are true.
A false one must never come out as supported; a true one should not come out as contradicted.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.evidence import (
    ChangeFact,
    DomainFact,
    EffectFact,
    Fact,
    FlawlessFact,
    FramesFact,
    MapLimitFact,
    NotProofFact,
    OriginFact,
    OtherRegionsFact,
    QualityFact,
    RegionFact,
    ScoreFact,
    SpreadFact,
    VerdictFact,
)
from assistant.grounding import check
from assistant.types import REGIONS, Evidence, QualityIssue, SentenceStatus, Verdict

__all__ = ["TABLE", "Judged", "cases", "judged", "summary"]

TABLE = Path(__file__).with_name("grounding-sentences.csv")
_WRITERS = ("small", "large")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A sentence of the table, whether it is true of its case, and what the check made of it."""

    case: str
    written_by: str
    true: bool
    sentence: str
    status: SentenceStatus
    reason: str


def cases() -> dict[str, Evidence]:
    """The cases that the sentences speak of, by name."""
    quiet, unsure, fake = (v for v in Verdict)
    manipulated = (
        ScoreFact(id="S1", probability=0.87, low=0.79, high=0.93),
        VerdictFact(id="S2", verdict=fake, probability=0.87, lower=0.3, upper=0.7, crosses=False),
        RegionFact(id="R1", region="mouth", share=0.31, area=0.12, lift=2.6, rank=1),
        RegionFact(id="R2", region="jaw", share=0.18, area=0.12, lift=1.5, rank=2),
        _others("R3", "mouth", "jaw"),
        QualityFact(id="Q1", issue=QualityIssue.BLURRED, value=14, limit=40, unit=""),
        OriginFact(id="P1", source="editor", name="GIMP 2.10"),
        _effect("C1", "mouth", 0.87, 0.52, fake, unsure, matters=True, out=True),
        _effect("C2", "jaw", 0.87, 0.85, fake, fake, matters=False, out=True),
        SpreadFact(id="F1", count=6, low=0.64, high=0.9, flips=("half size",)),
        ChangeFact(
            id="F2",
            change="half size",
            before=0.87,
            probability=0.64,
            verdict=fake,
            verdict_after=unsure,
        ),
        DomainFact(id="D1", inside=True, distance=0.4, limit=1.0),
    )
    no_sign = (
        ScoreFact(id="S1", probability=0.12, low=0.06, high=0.19),
        VerdictFact(id="S2", verdict=quiet, probability=0.12, lower=0.3, upper=0.7, crosses=False),
        _others("R1"),
        FlawlessFact(id="Q1"),
        OriginFact(id="P1", source="none"),
        _effect("C1", "forehead", 0.12, 0.11, quiet, quiet, matters=False, out=False),
        SpreadFact(id="F1", count=6, low=0.09, high=0.17, flips=()),
        DomainFact(id="D1", inside=True, distance=0.4, limit=1.0),
    )
    clip = (
        ScoreFact(id="S1", probability=0.51, low=0.3, high=0.72),
        VerdictFact(id="S2", verdict=unsure, probability=0.51, lower=0.3, upper=0.7, crosses=True),
        FramesFact(id="S3", frames=16, low=0.22, high=0.81),
        RegionFact(id="R1", region="background", share=0.41, area=0.21, lift=1.9, rank=1),
        _others("R2", "background"),
        QualityFact(id="Q1", issue=QualityIssue.SMALL, value=52, limit=64, unit="px"),
        OriginFact(id="P1", source="camera", name="Canon EOS R5"),
        DomainFact(id="D1", inside=False, distance=1.4, limit=1.0),
    )
    return {
        "manipulated": _evidence(manipulated, fake),
        "quiet": _evidence(no_sign, quiet),
        "clip": _evidence(clip, unsure),
    }


def _others(fact_id: str, *out: str) -> OtherRegionsFact:
    calm = tuple(region for region in REGIONS if region not in out)
    return OtherRegionsFact(id=fact_id, regions=calm, alone=not out)


def _effect(
    fact_id: str,
    region: str,
    before: float,
    after: float,
    verdict: Verdict,
    verdict_after: Verdict,
    *,
    matters: bool,
    out: bool,
) -> EffectFact:
    return EffectFact(
        id=fact_id,
        region=region,
        before=before,
        after=after,
        matters=matters,
        stands_out=out,
        verdict=verdict,
        verdict_after=verdict_after,
        control=-0.02,
        control_n=3,
    )


def _evidence(facts: tuple[Fact, ...], verdict: Verdict) -> Evidence:
    score = next(fact for fact in facts if isinstance(fact, ScoreFact))
    return Evidence(
        media_id="0" * 64,
        face_index=0,
        verdict=verdict,
        probability=score.probability,
        interval=(score.low, score.high),
        facts=(*facts, NotProofFact(id="L1"), MapLimitFact(id="L2")),
    )


def judged(table: Path = TABLE) -> list[Judged]:
    """Every sentence of the table, checked against its case.

    Args:
        table: columns ``case``, ``written_by``, ``true`` (0 or 1) and ``sentence``, parted by bars;
            ``{verdict}`` stands for the words of the case's verdict.
    """
    known = cases()
    found = []
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            evidence = known[row["case"]]
            said = row["sentence"].replace("{verdict}", evidence.verdict.words)
            (sentence,) = check(said, evidence)
            found.append(
                Judged(
                    case=row["case"],
                    written_by=row["written_by"],
                    true=row["true"] == "1",
                    sentence=said,
                    status=sentence.status,
                    reason=sentence.reason,
                )
            )
    return found


def summary(found: list[Judged]) -> dict[str, Any]:
    """Counts of each status, for true and false sentences by who writes so, and the two limits."""
    true = [j for j in found if j.true]
    false = [j for j in found if not j.true]
    against = sum(j.status is SentenceStatus.CONTRADICTED for j in true)
    return {
        "sentences": len(found),
        "false_supported": sum(j.status is SentenceStatus.SUPPORTED for j in false),
        "true_contradicted": against,
        "true_contradicted_share": against / len(true) if true else None,
        "counts": {
            f"{name}, {writer}": {
                status.value: count.get(status, 0)
                for status in SentenceStatus
                if (count := Counter(j.status for j in part if j.written_by == writer))
            }
            for name, part in (("true", true), ("false", false))
            for writer in _WRITERS
        },
    }
