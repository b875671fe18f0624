"""An explanation of a case: what was measured, what it rests on, how far it can be trusted."""

from __future__ import annotations

import random
from dataclasses import replace

from assistant.evidence import NextFact
from assistant.types import Evidence
from assistant.vlm.composition.chosen import to_the_point
from assistant.vlm.composition.lines import Line, Writer, joined

__all__ = ["compose_explanation"]

_MOST_WORDS = 95


def compose_explanation(evidence: Evidence, rng: random.Random) -> str:
    """A true explanation of 30 to 170 words, every sentence citing its facts.

    Args:
        evidence: the case; told are the facts to the point, and the map's second place.
        rng: picks patterns and, within reason, the order.
    """
    told = to_the_point(evidence, None)
    after = [f for f in evidence.of(NextFact) if f not in told.facts]
    told = replace(told, facts=(*told.facts, *after))
    state = rng.getstate()
    # Where there is much to tell, what random patches do beside a cause gives way first, then what
    # is as usual or was said by the verdict, then the map's second place.
    for usual, regions, beside in ((True, 2, 2), (True, 2, 1), (False, 2, 1), (False, 1, 1)):
        rng.setstate(state)
        writer = Writer(told, rng)
        writer.usual = usual
        lines = _lines(writer, rng, regions, beside)
        if _words(lines) <= _MOST_WORDS:
            break
    return joined(lines)


def _lines(writer: Writer, rng: random.Random, regions: int, beside: int) -> list[Line]:
    start = writer.opening()
    rests = [
        *writer.frames(),
        *writer.times(),
        *writer.misses(),
        *writer.causes()[:beside],
        *writer.cues(most=1, nothing=True),
        *writer.regions(most=regions),
        *writer.fragility(),
    ]
    # In this order, as the second may refer to the first.
    if rng.random() < 0.3:
        after = [*writer.domain(), *writer.quality(most=1)]
    else:
        after = [*writer.quality(most=1), *writer.domain()]
    ending = [*writer.not_proof(), *writer.advice()]
    if not start and not rests:
        return [writer.closed("nothing"), *after, *ending]
    room = _MOST_WORDS - _words([*start, *rests, *after, *ending])
    if _words(meaning := writer.meaning()) <= room:
        start += meaning
    return [*start, *rests, *after, *ending]


def _words(lines: list[Line]) -> int:
    return sum(len(line.text.split()) for line in lines)
