"""An explanation of a case: what was measured, what it rests on, how far it can be trusted."""

from __future__ import annotations

import random

from assistant.phrases import Variant
from assistant.types import Evidence
from assistant.vlm.composition.lines import Line, Writer, joined

__all__ = ["compose_explanation"]

_MOST_WORDS = 150


def compose_explanation(evidence: Evidence, rng: random.Random, variant: Variant = "train") -> str:
    """A true explanation of 60 to 160 words, every sentence citing its facts.

    Args:
        evidence: the case.
        rng: picks patterns and, within reason, the order.
        variant: patterns for training or for testing a language model.
    """
    writer = Writer(evidence, rng, variant)
    opening = [writer.score(), writer.verdict()]
    if rng.random() < 0.3:
        opening.reverse()
    must = [*opening[0], *opening[1], *writer.frames(), *writer.closeness(), *writer.regions()]
    must += writer.effects(most=2)
    trust = [writer.quality(), writer.domain()]
    if rng.random() < 0.3:
        trust.reverse()
    after = [*trust[0], *trust[1]]
    ending = [*writer.map_limit(), *writer.not_proof()]
    if rng.random() < 0.3:
        ending.reverse()
    if not must:
        return joined([writer.closed("nothing"), *after, *ending])
    # What may be said where there is room, most telling first; each knows its place.
    room = _MOST_WORDS - _words([*must, *after, *ending])
    meaning, width = writer.meaning(), writer.width()
    origin, fragility, smallest = writer.origin(most=1), writer.fragility(), writer.smallest_set()
    chosen: dict[str, list[Line]] = {}
    for name, lines in (
        ("meaning", meaning),
        ("fragility", fragility),
        ("origin", origin),
        ("smallest", smallest),
        ("width", width),
    ):
        if lines and _words(lines) <= room:
            chosen[name] = lines
            room -= _words(lines)
    start = len(opening[0]) + len(opening[1])
    return joined(
        [
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
    )


def _words(lines: list[Line]) -> int:
    return sum(len(line.text.split()) for line in lines)
