"""The answer that comes first, in at most 90 words: verdict, reasons, how sure, what to do.

Every sentence is a fact's own, or one of :mod:`assistant.phrases` that claims nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.evidence import (
    ChangeFact,
    CueFact,
    DomainFact,
    EffectFact,
    KindFact,
    MissesFact,
    NextFact,
    NoCueFact,
    QualityFact,
    RegionFact,
    SpreadFact,
    StrongestFact,
    VerdictFact,
)
from assistant.numbers import percent, reach
from assistant.types import Evidence, RegionFinding, Verdict, ranked_regions
from assistant.vlm.composition.lines import Line, Writer

__all__ = ["MOST_WORDS", "first_answer", "named_regions", "short_facts"]

MOST_WORDS = 90


def first_answer(evidence: Evidence, *, most: int = MOST_WORDS) -> tuple[Line, ...]:
    """The sentences, in their order; the first is the verdict.

    What has no room is left out, the least telling first: verdict and advice never are.
    """
    writer = Writer(evidence)
    verdict = [*writer.verdict()]
    advice = _advice(writer)
    rests_on = _rests_on(writer)
    # In the order in which they are kept; each with its place in the text.
    wanted = [
        (0, writer.times(most=1)),
        (0, writer.opinions()[:1]),
        (0, rests_on),
        (0, _next(writer, rests_on)),
        (0, _seen(evidence)),
        (0, _kind(writer)),
        (1, _doubts(writer)),
        (2, _missed(writer)),
        (1, _steady(writer)),
        (1, writer.score()[:1]),
        (2, _nothing_seen(evidence)),
    ]
    room = most - _words([*verdict, *advice])
    kept: list[list[Line]] = [[], [], []]
    for place, lines in wanted:
        if _words(lines) <= room:
            kept[place] += lines
            room -= _words(lines)
    return (*verdict, *kept[0], *kept[1], *kept[2], *advice)


def named_regions(evidence: Evidence, regions: Sequence[RegionFinding]) -> list[RegionFinding]:
    """At most three regions that the words name: the map's first, then causes."""
    named = [f.region for f in evidence.facts if isinstance(f, (StrongestFact, RegionFact))]
    named = [name for name in named if name != "background"]
    named += [f.region for f in evidence.of(EffectFact) if f.region not in named]
    found = {r.region: r for r in ranked_regions(regions)}
    return [found[name] for name in named if name in found][:3]


def short_facts(evidence: Evidence) -> list[tuple[str, str]]:
    """All facts as (ids, text); those that say that nothing much moved are one line a kind."""
    effects = [f for f in evidence.of(EffectFact) if f.effect == "hardly" and not f.changes_verdict]
    changes = [f for f in evidence.of(ChangeFact) if not f.changes_verdict]
    lines: dict[str, tuple[str, str]] = {}
    for still, whole, doing, what, ends in (
        (effects, EffectFact, "Neutralising", "regions", [f.after for f in effects]),
        (changes, ChangeFact, "Making", "everyday changes", [f.probability for f in changes]),
    ):
        if len(still) > 1:
            other = "other " if len(still) < len(evidence.of(whole)) else ""
            span = reach(min(ends), max(ends))
            where = f"between {span.replace(' to ', ' and ')}" if span else f"at {percent(ends[0])}"
            told = (
                f"{doing} any of the {other}{len(still)} {what} leaves the score {where}; "
                "the verdict stays the same."
            )
            lines |= {f.id: ("", "") for f in still}
            lines[still[0].id] = (f"{still[0].id} to {still[-1].id}", told)
    told_facts = (lines.get(f.id, (f.id, f.text)) for f in evidence.facts)
    return [line for line in told_facts if line[0]]


def _rests_on(writer: Writer) -> list[Line]:
    """What the score rests on; nothing of a face in which no sign was found."""
    if writer.evidence.verdict is Verdict.NO_SIGN:
        return []
    lines = writer.causes()[:1]
    pointed = (
        f.region for f in writer.evidence.facts if isinstance(f, (StrongestFact, RegionFact))
    )
    region = next((name for name in pointed if name != "background"), None)
    tried = [f for f in writer.evidence.of(EffectFact) if f.region == region]
    # What random patches do as well tells nothing of this region.
    told = {cite for line in lines for cite in line.cites}
    if tried and tried[0].effect != "like-random" and tried[0].id not in told:
        lines += writer.effect(tried[0])[:1]
    return lines or writer.regions(most=1)[:1]


def _next(writer: Writer, before: Sequence[Line]) -> list[Line]:
    """Where the map is next strongest, after a line on where it is strongest."""
    fact = writer.first(NextFact)
    of_the_map = bool(before) and "map" in before[-1].text
    return [writer.peak(fact)] if fact is not None and of_the_map else []


def _doubts(writer: Writer) -> list[Line]:
    """Why to trust the score less: quality, a face unlike the known ones, a close case."""
    problem = writer.quality(most=1) if writer.first(QualityFact) else []
    domain = writer.first(DomainFact)
    unlike = domain is not None and not domain.inside and not domain.abstained
    close = writer.first(VerdictFact)
    lines = [*problem, *(writer.domain()[:1] if unlike else [])]
    if not lines and close is not None and "crosses" in close.topics():
        lines = [writer.say("crosses", close)]
    return lines


def _kind(writer: Writer) -> list[Line]:
    """Swapped, or made from nothing, where that is told."""
    fact = writer.first(KindFact)
    return writer.kind() if fact is not None and fact.worth_telling else []


def _seen(evidence: Evidence) -> list[Line]:
    """The strongest cue that can be seen."""
    return [Line(f.text, (f.id,)) for f in evidence.of(CueFact) if f.visible][:1]


def _nothing_seen(evidence: Evidence) -> list[Line]:
    """That no visible cue speaks, of a face in which no sign was found."""
    fact = evidence.first(NoCueFact) if evidence.verdict is Verdict.NO_SIGN else None
    return [Line(fact.text, (fact.id,))] if fact is not None else []


def _missed(writer: Writer) -> list[Line]:
    fact = writer.first(MissesFact)
    return [writer.say(fact.short, fact)] if fact else []


def _steady(writer: Writer) -> list[Line]:
    return writer.fragility() if writer.first(SpreadFact) else []


def _advice(writer: Writer) -> list[Line]:
    fact = writer.first(VerdictFact)
    return (
        [writer.closed(f"advice-{fact.verdict.value}"), writer.closed("advice-first")]
        if fact
        else []
    )


def _words(lines: Sequence[Line]) -> int:
    return sum(len(line.text.split()) for line in lines)
