"""Structured decoding: a grammar (GBNF) of the true things that may be said about one case.

A small model that is held to it still chooses: which sentences, in which order, in which words. But
every sentence it can write says what a fact says and cites it, so that nothing is left to strike.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from assistant.citations import without_cites
from assistant.questions import QuestionKind, classify
from assistant.types import Evidence
from assistant.vlm.composition.answers import answer_lines
from assistant.vlm.composition.lines import Line, Writer, joined

__all__ = ["grammar_for"]

#: How many wordings of each part are gathered; patterns have at most five.
_DRAWS = 24
_Slot = Callable[[Writer], Sequence[Line]]

# Longest explanation, in words with ids: one that is read to its end, and written in seconds. One
# of fewer words than the least (without ids) leaves a moderator with questions.
_MOST_WORDS = 130
_LEAST_WORDS = 60


def _parts(regions: int, effects: int) -> tuple[tuple[_Slot, bool], ...]:
    """Parts of an explanation in their order; those marked False may be left out by the model."""
    return (
        (lambda w: w.meaning(), False),
        (lambda w: w.width(), False),
        (lambda w: w.frames(), True),
        (lambda w: w.closeness(), True),
        (lambda w: w.regions(most=regions), True),
        # As after the regions, which are always told: no side is explained twice.
        (lambda w: [w.regions(most=regions), w.effects(most=effects)][1], True),
        (lambda w: w.quality(most=1), True),
        # As after the quality notes, to which it may refer.
        (lambda w: [w.quality(most=1), w.domain()][1], True),
        (lambda w: w.origin(most=1), False),
        (lambda w: w.advice(), True),
    )


def grammar_for(evidence: Evidence, question: str = "") -> str:
    """The grammar of an explanation, or of the answer to ``question``, in llama.cpp's GBNF.

    Empty where the case has no facts: there is then nothing to hold a model to.
    """
    if not evidence.facts:
        return ""
    rules: dict[str, list[str]] = {}
    root = _answer(evidence, question, rules) if question else _explanation(evidence, rules)
    if not root:
        return ""
    lines = [f"root ::= {root}"]
    lines += [f"{name} ::= {' | '.join(map(_quoted, said))}" for name, said in rules.items()]
    return "\n".join(lines) + "\n"


def _explanation(evidence: Evidence, rules: dict[str, list[str]]) -> str:
    for name, slot in (
        ("score", lambda w: w.score()),
        ("verdict", lambda w: w.verdict()),
        ("map-limit", lambda w: w.map_limit()),
        ("not-proof", lambda w: w.not_proof()),
    ):
        said = _wordings(evidence, slot)
        if said:
            rules[name] = said
    chosen: list[tuple[list[str], bool]] = []
    for regions, effects in ((2, 1), (1, 1), (1, 0)):
        chosen = [
            (said, must)
            for slot, must in _parts(regions, effects)
            if (said := _wordings(evidence, slot))
        ]
        if _room(rules, chosen) >= 0:
            break
    _shorten(rules, chosen)
    while _room(rules, chosen) < 0 and any(must for _, must in chosen):
        # The parts that must be said stand in the order of their weight.
        chosen.pop(max(i for i, (_, must) in enumerate(chosen) if must))
    room = _room(rules, chosen)
    least = sum(_shortest(s) for s in [*rules.values(), *(s for s, must in chosen if must)])
    parts: list[str] = []
    if {"score", "verdict"} <= set(rules):
        parts.append('(score " " verdict | verdict " " score)')
    for i, (said, must) in enumerate(chosen):
        needed = must
        if not must:
            room -= _longest(said)
            # A case with little to tell is told in full.
            needed = room >= 0 and least < _LEAST_WORDS
            least += _shortest(said) if needed else 0
        if must or room >= 0:
            rules[f"part-{i}"] = said
            parts.append(f'" " part-{i}' if needed else f'(" " part-{i})?')
    ends = [name for name in ("map-limit", "not-proof") if name in rules]
    if len(ends) == 2:
        parts.append('" " (map-limit " " not-proof | not-proof " " map-limit)')
    elif ends:
        parts.append(f'" " {ends[0]}')
    return " ".join(parts).removeprefix('" " ')


def _room(rules: dict[str, list[str]], chosen: Sequence[tuple[list[str], bool]]) -> int:
    """Words that are left where every part that must be said is said at its longest."""
    must = [*rules.values(), *(said for said, must in chosen if must)]
    return _MOST_WORDS - sum(_longest(said) for said in must)


def _shorten(rules: dict[str, list[str]], chosen: Sequence[tuple[list[str], bool]]) -> None:
    """Take the longest wordings away until all that must be said fits: no fact is lost by that."""
    must = [*rules.values(), *(said for said, must in chosen if must)]
    while _room(rules, chosen) < 0:
        spare = [said for said in must if _shortest(said, marks=True) < _longest(said)]
        if not spare:
            return
        widest = max(spare, key=lambda said: _longest(said) - _shortest(said, marks=True))
        widest.remove(max(widest, key=lambda text: len(text.split())))


def _answer(evidence: Evidence, question: str, rules: dict[str, list[str]]) -> str:
    kind: QuestionKind = classify(question)
    drawn = [answer_lines(Writer(evidence, _rng(draw)), kind, question) for draw in range(_DRAWS)]
    # What a draw leaves out or adds (two pieces of advice may be the same) would shift the places.
    size = min(len(lines) for lines in drawn)
    for place in range(size):
        rules[f"part-{place}"] = sorted({str(lines[place]) for lines in drawn})
    return ' " " '.join(rules)


def _longest(said: Sequence[str]) -> int:
    return max(len(text.split()) for text in said)


def _shortest(said: Sequence[str], *, marks: bool = False) -> int:
    """Words of the shortest wording; ``marks`` counts the ids in brackets as well."""
    return min(len((text if marks else without_cites(text)).split()) for text in said)


def _wordings(evidence: Evidence, slot: _Slot) -> list[str]:
    said = {joined(slot(Writer(evidence, _rng(draw)))) for draw in range(_DRAWS)}
    return sorted(said - {""})


def _rng(draw: int) -> random.Random:
    return random.Random(draw)  # noqa: S311 - gathers wordings


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
