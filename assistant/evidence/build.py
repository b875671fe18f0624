"""Measured values of one face, as numbered facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.evidence.names import quotable_name, the_region
from assistant.numbers import amount, crosses, in_hundred, percent
from assistant.types import (
    PERSON_SIDE,
    Evidence,
    Face,
    Fact,
    FactKind,
    Media,
    ProvenanceNote,
    QualityIssue,
    QualityNote,
    RegionFinding,
    Score,
    Verdict,
    ranked_regions,
)

__all__ = ["build_evidence", "renumbered"]

_MOST_REGIONS = 3
_MOST_NOTES = 4
_NARROW, _WIDE = 0.10, 0.25
_FOR_ITS_SIZE = 1.15
_ABSTAINED = (
    "The verdict is uncertain: the face lies outside what the detector knows, so its score gives "
    "no verdict."
)

# issue -> (what is the case, what it means for trust)
_QUALITY = {
    QualityIssue.SMALL: ("The face is small", "fine traces can be lost"),
    QualityIssue.BLURRED: ("The face is blurred", "fine traces can be lost"),
    QualityIssue.TURNED: ("The face is turned away", "part of it cannot be judged"),
    QualityIssue.DARK: ("The face is dark", "detail is hidden in the shadows"),
    QualityIssue.BRIGHT: ("The face is overexposed", "detail is lost in the bright parts"),
    QualityIssue.CUT_OFF: ("The face is cut off", "part of it cannot be judged"),
    QualityIssue.GREYSCALE: ("The face is greyscale", "colour traces cannot be judged"),
    QualityIssue.COMPRESSED: ("The picture is strongly compressed", "fine traces can be lost"),
    QualityIssue.UNSURE: ("The face was found with low confidence", "it may not be a clear face"),
}


def build_evidence(
    face: Face,
    score: Score,
    regions: Sequence[RegionFinding],
    media: Media,
    extra: Sequence[Fact] = (),
) -> Evidence:
    """All that is known of one face, as facts S, R, Q, P, then ``extra``, then the limits L.

    Args:
        face: the face that was scored; its quality notes become Q facts.
        score: its calibrated score; S1 and S2.
        regions: the findings of the map; at most three that stand out become R facts of their own.
        media: where the face was found; its provenance becomes P facts.
        extra: facts measured elsewhere (S3, C, F, D), kept as they are.
    """
    scores = [_score(score), _verdict(score)]
    facts = [
        *scores,
        *(fact for fact in extra if fact.kind is FactKind.SCORE),
        *_regions(regions),
        *_quality(face.quality),
        *_provenance(media.provenance),
        *(fact for fact in extra if fact.kind is not FactKind.SCORE),
        _NOT_PROOF,
        *([_MAP] if regions else []),
    ]
    unseen = _not_looked_at(regions)
    if unseen is not None:
        number = 1 + sum(fact.kind is FactKind.LIMIT for fact in facts)
        facts.append(replace(unseen, id=f"L{number}"))
    return Evidence(
        media_id=media.id,
        face_index=face.index,
        verdict=score.verdict,
        probability=score.probability,
        interval=score.interval,
        facts=tuple(facts),
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


_NOT_PROOF = Fact(
    id="L1",
    kind=FactKind.LIMIT,
    text="The detector can be wrong: its score is an estimate, not proof.",
    values={"limit": "not-proof"},
)
_MAP = Fact(
    id="L2",
    kind=FactKind.LIMIT,
    text="The map shows where the detector looked, not what was changed there.",
    values={"limit": "map"},
)


def _not_looked_at(regions: Sequence[RegionFinding]) -> Fact | None:
    """What the map could not be read for: all face parts, or those outside the crop."""
    hidden = tuple(r.region for r in regions if r.area == 0 and r.region != "background")
    if regions and not hidden:
        return None
    if not regions:
        text = "No face parts could be told apart in this view, so no region was looked at."
    else:
        listed = ", ".join(f"the {name}" for name in hidden)
        text = f"Outside the picture of the face, and so not looked at: {listed}."
    return Fact(
        id="L3", kind=FactKind.LIMIT, text=text, values={"limit": "not-seen", "regions": hidden}
    )


def _digits(score: Score) -> int:
    """One digit more where whole percents would make the score look like a threshold."""
    shown = percent(score.probability)
    return 1 if shown in {percent(t) for t in score.thresholds} else 0


def _score(score: Score) -> Fact:
    low, high = score.interval
    shown = percent(score.probability, _digits(score))
    size = high - low
    width = "narrow" if size <= _NARROW else "wide" if size >= _WIDE else "moderate"
    text = (
        f"The detector gives a probability of manipulation of {shown} "
        f"(interval {percent(low)} to {percent(high)}). "
        "Of the faces with such a score in its calibration data, "
        f"{in_hundred(score.probability)} were manipulated."
    )
    if width != "moderate":
        text += f" The interval is {width}."
    return Fact(
        id="S1",
        kind=FactKind.SCORE,
        text=text,
        values={
            "probability": score.probability,
            "low": low,
            "high": high,
            "shown": shown,
            "shown_low": percent(low),
            "shown_high": percent(high),
            "width": width,
        },
    )


def _verdict(score: Score) -> Fact:
    lower, upper = score.thresholds
    digits = _digits(score)
    low, high = percent(lower, digits), percent(upper, digits)
    bands = {
        Verdict.LIKELY_REAL: f"scores below {low} count as likely real",
        Verdict.LIKELY_MANIPULATED: f"scores from {high} up count as likely manipulated",
        Verdict.UNCERTAIN: f"scores between {low} and {high} count as uncertain",
    }
    close = crosses(score.interval, score.thresholds)
    text = f"The verdict is {score.verdict.words}: {bands[score.verdict]}."
    if score.abstained:
        text = _ABSTAINED
    elif close:
        text += " The interval reaches into another verdict, so the case is close."
    return Fact(
        id="S2",
        kind=FactKind.SCORE,
        text=text,
        values={
            "verdict": score.verdict.value,
            "lower": lower,
            "upper": upper,
            "shown_lower": low,
            "shown_upper": high,
            "crosses": close and not score.abstained,
            "abstained": score.abstained,
        },
    )


def _regions(regions: Sequence[RegionFinding]) -> list[Fact]:
    if not regions:
        return []
    out = [r for r in ranked_regions(regions) if r.stands_out][:_MOST_REGIONS]
    facts = [_region(finding, rank) for rank, finding in enumerate(out, 1)]
    others = tuple(r.region for r in regions if not r.stands_out)
    if not out:
        text = "No region stands out: none draws more of the map than in untouched faces."
    elif others:
        text = "No other region stands out."
    else:
        return facts
    facts.append(
        Fact(
            id=f"R{len(facts) + 1}",
            kind=FactKind.REGION,
            text=text,
            values={"stands_out": False, "regions": others, "alone": not out},
        )
    )
    return facts


def _region(finding: RegionFinding, rank: int) -> Fact:
    name = the_region(finding.region)
    # Where a region does not stand out for its size, it does beside untouched faces.
    times = f"{finding.lift:.1f} times what its size alone explains"
    text = (
        f"{name[0].upper()}{name[1:]} stands out: it draws {percent(finding.share)} of the map, "
        f"{times if finding.lift >= _FOR_ITS_SIZE else 'more than in untouched faces'}."
    )
    if finding.region == "background":
        text += " The background lies outside the face."
    return Fact(
        id=f"R{rank}",
        kind=FactKind.REGION,
        text=text,
        values={
            "region": finding.region,
            "share": finding.share,
            "area": finding.area,
            "lift": finding.lift,
            "stands_out": True,
            "rank": rank,
            "person_side": PERSON_SIDE.get(finding.region, ""),
        },
    )


def _quality(notes: Sequence[QualityNote]) -> list[Fact]:
    if not notes:
        none = {"issue": "", "value": 0.0, "limit": 0.0, "unit": ""}
        text = "No quality problem was measured."
        return [Fact(id="Q1", kind=FactKind.QUALITY, text=text, values=none)]
    facts = []
    for number, note in enumerate(notes[:_MOST_NOTES], 1):
        case, meaning = _QUALITY[note.issue]
        text = (
            f"{case} (measured {amount(note.value, note.unit)}, limit "
            f"{amount(note.limit, note.unit)}): {meaning}, so trust the score less."
        )
        values = {
            "issue": note.issue.value,
            "value": note.value,
            "limit": note.limit,
            "unit": note.unit,
        }
        facts.append(Fact(id=f"Q{number}", kind=FactKind.QUALITY, text=text, values=values))
    return facts


def _provenance(notes: Sequence[ProvenanceNote]) -> list[Fact]:
    kept = [note for note in notes if note.kind != "none"][:_MOST_NOTES]
    if not kept:
        text = "The file carries no record of its origin; absence proves nothing."
        values = {"kind": "none", "value": ""}
        return [Fact(id="P1", kind=FactKind.PROVENANCE, text=text, values=values)]
    facts = []
    for number, note in enumerate(kept, 1):
        name = quotable_name(note.value)
        quoted = f' ("{name}")' if name else ""
        text = {
            "c2pa": f"The file carries a C2PA record of its origin{quoted}; "
            "its signature was not checked here.",
            "editor": f"The file names an editing program{quoted}; "
            "such programs also do harmless work.",
            "generator": f"The file names an image generator{quoted}; "
            "that is what the file says of itself, not a measurement.",
            "camera": f"The file names a camera{quoted}; such a name can be copied into any file.",
        }[note.kind]
        values = {"kind": note.kind, "value": name}
        facts.append(Fact(id=f"P{number}", kind=FactKind.PROVENANCE, text=text, values=values))
    return facts
