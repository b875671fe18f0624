"""What may be said about one case: the true sentences, in a sensible order, some of them optional.

A small model that is held to a plan still chooses: which sentences, in which order, in which words.
But every sentence of it says what a fact says and cites it, so that nothing is left to strike.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from assistant.citations import without_cites
from assistant.evidence import EffectFact, KindFact
from assistant.routing import route
from assistant.types import Evidence
from assistant.vlm.composition.answers import answer_lines
from assistant.vlm.composition.lines import Line, Writer, joined

__all__ = ["Part", "Plan", "heads", "options", "plan_for"]

#: How many wordings of each part are gathered; patterns have at most five.
_DRAWS = 24
_Slot = Callable[[Writer], Sequence[Line]]

# Longest explanation, in words with ids: one that is read to its end, and written in seconds. One
# of fewer words than the least (without ids) leaves a moderator with questions.
_MOST_WORDS = 145
_LEAST_WORDS = 60


@dataclass(frozen=True, slots=True)
class Part:
    """The wordings of one part; an optional one may be left out."""

    said: tuple[str, ...]
    optional: bool = False


#: Parts in their order; the two of a pair may stand in either.
Plan: TypeAlias = tuple[Part | tuple[Part, Part], ...]


def options(plan: Plan) -> tuple[dict[str, Plan], bool]:
    """What may be said next, each with what may follow it; and whether the text may end here."""
    found: dict[str, Plan] = {}
    for place, item in enumerate(plan):
        rest = plan[place + 1 :]
        if isinstance(item, tuple):
            for first, second in (item, item[::-1]):
                for text in first.said:
                    found.setdefault(text, (second, *rest))
            return found, False
        for text in item.said:
            found.setdefault(text, rest)
        if not item.optional:
            return found, False
    return found, True


def heads(texts: Sequence[str]) -> dict[str, str] | None:
    """The shortest beginning of each text, in whole words, that no other has: beginning to text.

    None of them begins another, so that a model which stops at one has chosen between words, not
    between a word and stopping. None where a text begins another.
    """
    found: dict[str, str] = {}
    for text in texts:
        others = [other for other in texts if other != text]
        ends = [*(i for i, c in enumerate(text) if c == " "), len(text)]
        head = next(
            (text[:end] for end in ends if not any(o.startswith(text[:end]) for o in others)), None
        )
        if head is None:
            return None
        found[head] = text
    return found


def plan_for(evidence: Evidence, question: str = "") -> Plan:
    """The plan of an explanation or of the answer to ``question``; empty where there is no fact."""
    if not evidence.facts:
        return ()
    return _answer(evidence, question) if question else _explanation(evidence)


def _parts(regions: int, effects: int) -> tuple[tuple[_Slot, bool], ...]:
    """Parts of an explanation in their order; those marked False may be left out by the model."""
    return (
        (lambda w: w.meaning(), True),
        (lambda w: w.width(), False),
        (lambda w: w.frames(), True),
        (lambda w: w.times(), True),
        (lambda w: w.closeness(), True),
        (lambda w: w.misses(), True),
        (lambda w: w.kind() if (fact := w.first(KindFact)) and fact.worth_telling else [], True),
        # Before the regions: of what must be said, the last is left out where there is no room.
        (lambda w: w.fragility(), True),
        # What the score rests on, then what the map shows; each as after those before it, so that
        # no side is explained twice.
        (lambda w: w.causes(), True),
        (lambda w: w.cues(most=1), True),
        (lambda w: [w.causes(), w.regions(most=regions)][1], True),
        (lambda w: [w.causes(), w.regions(most=regions), w.effects(most=effects)][2], True),
        (lambda w: w.quality(most=1), True),
        # As after the quality notes, to which it may refer.
        (lambda w: [w.quality(most=1), w.domain()][1], True),
        (lambda w: w.advice(), True),
        (lambda w: w.origin(most=1), True),
    )


def _explanation(evidence: Evidence) -> Plan:
    fixed: dict[str, list[str]] = {}
    for name, slot in (
        ("score", lambda w: w.score()),
        ("verdict", lambda w: w.verdict()),
        ("map-limit", lambda w: w.map_limit()),
        ("not-proof", lambda w: w.not_proof()),
    ):
        said = _wordings(evidence, slot)
        if said:
            fixed[name] = said
    chosen: list[tuple[list[str], bool]] = []
    # What turns the verdict is never left out for room.
    for regions, effects in ((2, 1), (1, 1)) if _turns(evidence) else ((2, 1), (1, 1), (1, 0)):
        chosen = [
            (said, must)
            for slot, must in _parts(regions, effects)
            if (said := _wordings(evidence, slot))
        ]
        if _room(fixed, chosen) >= 0:
            break
    _shorten(fixed, chosen)
    while _room(fixed, chosen) < 0 and any(must for _, must in chosen):
        # The parts that must be said stand in the order of their weight.
        chosen.pop(max(i for i, (_, must) in enumerate(chosen) if must))
    room = _room(fixed, chosen)
    least = sum(_shortest(s) for s in [*fixed.values(), *(s for s, must in chosen if must)])
    # The answer first, then the number it rests on.
    opening = (Part(tuple(fixed[name])) for name in ("verdict", "score") if name in fixed)
    parts: list[Part | tuple[Part, Part]] = [*opening]
    for said, must in chosen:
        needed = must
        if not must:
            room -= _longest(said)
            # A case with little to tell is told in full.
            needed = room >= 0 and least < _LEAST_WORDS
            least += _shortest(said) if needed else 0
        if must or room >= 0:
            parts.append(Part(tuple(said), optional=not needed))
    return (*parts, *_pair(fixed, "map-limit", "not-proof"))


def _turns(evidence: Evidence) -> bool:
    """Whether covering a region changes the verdict, where random patches do not."""
    return any(
        fact.changes_verdict and fact.effect != "like-random" for fact in evidence.of(EffectFact)
    )


def _pair(fixed: dict[str, list[str]], *names: str) -> Plan:
    """The parts of these names that there are: both as a pair."""
    parts = [Part(tuple(fixed[name])) for name in names if name in fixed]
    return ((parts[0], parts[1]),) if len(parts) == 2 else tuple(parts)


def _room(fixed: dict[str, list[str]], chosen: Sequence[tuple[list[str], bool]]) -> int:
    """Words that are left where every part that must be said is said at its longest."""
    must = [*fixed.values(), *(said for said, must in chosen if must)]
    return _MOST_WORDS - sum(_longest(said) for said in must)


def _shorten(fixed: dict[str, list[str]], chosen: Sequence[tuple[list[str], bool]]) -> None:
    """Take the longest wordings away until all that must be said fits: no fact is lost by that."""
    must = [*fixed.values(), *(said for said, must in chosen if must)]
    while _room(fixed, chosen) < 0:
        spare = [said for said in must if _shortest(said, marks=True) < _longest(said)]
        if not spare:
            return
        widest = max(spare, key=lambda said: _longest(said) - _shortest(said, marks=True))
        widest.remove(max(widest, key=lambda text: len(text.split())))


def _answer(evidence: Evidence, question: str) -> Plan:
    asked = route(question)
    drawn = [answer_lines(Writer(evidence, _rng(draw)), question, asked) for draw in range(_DRAWS)]
    # What a draw leaves out or adds (two pieces of advice may be the same) would shift the places.
    size = min(len(lines) for lines in drawn)
    return tuple(
        Part(tuple(sorted({str(lines[place]) for lines in drawn}))) for place in range(size)
    )


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
