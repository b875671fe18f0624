"""The facts of one face, in their order and with their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.evidence.kind import kind_facts
from assistant.evidence.limits import limit_facts
from assistant.evidence.opinions import agreement_facts
from assistant.evidence.origin import origin_facts
from assistant.evidence.quality import quality_facts
from assistant.evidence.regions import region_facts
from assistant.evidence.score import ScoreFact, VerdictFact
from assistant.numbers import percent
from assistant.types import Evidence, Face, Fact, FactKind, Media, RegionFinding, Score, TrackRecord

__all__ = ["build_evidence", "renumbered"]

_MOST_DIGITS = 3


def build_evidence(
    face: Face,
    score: Score,
    regions: Sequence[RegionFinding],
    media: Media,
    extra: Sequence[Fact] = (),
    record: TrackRecord | None = None,
    map_share: float | None = None,
) -> Evidence:
    """All that is known of one face, as facts S, R, Q, P, then ``extra``, then the limits L.

    Args:
        face: the face that was scored; its quality notes become Q facts.
        score: its calibrated score; S1 and S2.
        regions: the findings of the map; at most three that stand out become R facts of their own.
        media: where the face was found; its provenance becomes P facts.
        extra: facts measured elsewhere (S3, C, F, D), kept as they are.
        record: how the detector did on sources left out of its training, where that is known.
        map_share: of the score's spread over faces, what comes from the map, where that is known.
    """
    # More digits where whole percents would make the score look like a threshold.
    digits = next(
        (
            n
            for n in range(_MOST_DIGITS)
            if percent(score.probability, n) not in {percent(t, n) for t in score.thresholds}
        ),
        _MOST_DIGITS,
    )
    low, high = score.interval
    unseen = record is not None and record.unseen
    facts = (
        ScoreFact(
            id="S1",
            probability=score.probability,
            low=low,
            high=high,
            digits=digits,
            unseen=unseen,
            calibrated=score.calibrated,
        ),
        VerdictFact.of(score, digits),
        *(fact for fact in extra if fact.kind is FactKind.SCORE),
        *kind_facts(score.heads, score.verdict, record),
        *region_facts(regions),
        *quality_facts(face.quality),
        *origin_facts(media.provenance),
        *agreement_facts(score.opinions),
        *(fact for fact in extra if fact.kind is not FactKind.SCORE),
        *limit_facts(regions, score.verdict, record, map_share),
    )
    return Evidence(
        media_id=media.id,
        face_index=face.index,
        verdict=score.verdict,
        probability=score.probability,
        interval=score.interval,
        facts=facts,
    )


def renumbered(evidence: Evidence, added: Iterable[Fact]) -> Evidence:
    """``evidence`` with ``added`` facts before the limits; a taken id gets the next number."""
    facts = [f for f in evidence.facts if f.kind is not FactKind.LIMIT]
    limits = [f for f in evidence.facts if f.kind is FactKind.LIMIT]
    for fact in added:
        taken = {f.id for f in (*facts, *limits)}
        counts = Counter(f.kind for f in (*facts, *limits))
        number = counts[fact.kind] + 1
        while f"{fact.kind.value}{number}" in taken:
            number += 1
        facts.append(
            fact if fact.id not in taken else replace(fact, id=f"{fact.kind.value}{number}")
        )
    return replace(evidence, facts=(*facts, *limits))
