"""An explanation of a case: what was measured, what it rests on, how far it can be trusted."""

from __future__ import annotations

import random

from assistant.evidence import SpreadFact
from assistant.types import Evidence
from assistant.vlm.composition.lines import Line, Writer, joined

__all__ = ["compose_explanation"]

_MOST_WORDS = 95


def compose_explanation(evidence: Evidence, rng: random.Random) -> str:
    """A true explanation of 40 to 160 words, every sentence citing its facts.

    Args:
        evidence: the case.
        rng: picks patterns and, within reason, the order.
    """
    state = rng.getstate()
    # Regions, effects and quality notes that are told: fewer where there is much to tell. What is
    # as usual, or was said by the verdict, gives way before the map's second place.
    usual = ((3, 2, 2), (3, 1, 2), (2, 1, 2), (2, 1, 1), (2, 0, 1))
    for told_usual, most in [*((True, m) for m in usual), (False, (2, 0, 1)), (False, (1, 0, 1))]:
        rng.setstate(state)
        writer = Writer(evidence, rng)
        writer.usual = told_usual
        lines = _lines(writer, rng, *most)
        if _words(lines) <= _MOST_WORDS:
            break
    return joined(lines)


def _lines(
    writer: Writer, rng: random.Random, regions: int, effects: int, notes: int
) -> list[Line]:
    opening = [writer.score(), writer.verdict()]
    if rng.random() < 0.3:
        opening.reverse()
    must = [
        *opening[0],
        *opening[1],
        *writer.opinions()[:1],
        *writer.frames(),
        *writer.times(),
        *writer.closeness(),
        *writer.misses(),
    ]
    # What random patches do beside it gives way where there is much to tell.
    must += writer.causes()[: 2 if effects else 1]
    must += writer.cues(most=1, nothing=True)
    must += writer.regions(most=regions)
    must += writer.effects(most=effects)
    spread, fragility = writer.first(SpreadFact), writer.fragility()
    if spread is not None and spread.flips:
        must, fragility = [*must, *fragility], []
    # In this order, as the second may refer to the first.
    if rng.random() < 0.3:
        after = [*writer.domain(), *writer.quality(most=notes)]
    else:
        after = [*writer.quality(most=notes), *writer.domain()]
    ending = [*writer.map_limit(), *writer.not_proof()]
    if rng.random() < 0.3:
        ending.reverse()
    ending += writer.advice()
    if not must:
        return [writer.closed("nothing"), *after, *ending]
    # What may be said where there is room, most telling first; each knows its place.
    room = _MOST_WORDS - _words([*must, *after, *ending])
    meaning, width = writer.meaning(), writer.width()
    origin, smallest = writer.origin(most=1), writer.smallest_set()
    chosen: dict[str, list[Line]] = {}
    for name, lines in (
        ("fragility", fragility),
        ("meaning", meaning),
        ("origin", origin),
        ("smallest", smallest),
        ("width", width),
    ):
        if lines and _words(lines) <= room:
            chosen[name] = lines
            room -= _words(lines)
    start = len(opening[0]) + len(opening[1])
    return [
        *must[:start],
        *chosen.get("meaning", ()),
        *chosen.get("width", ()),
        *must[start:],
        *chosen.get("smallest", ()),
        *chosen.get("fragility", ()),
        *after,
        *chosen.get("origin", ()),
        *ending,
    ]


def _words(lines: list[Line]) -> int:
    return sum(len(line.text.split()) for line in lines)
