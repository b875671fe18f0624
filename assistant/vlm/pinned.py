"""Free text with pinned numbers: any words, but only the numbers and ids of the facts at hand.

For llama.cpp a grammar (GBNF): sentences in the order of the facts, each at most once, each ending
in the id of the one fact that it rests on, naming what that fact is about (the verdict, a region)
and holding no numbers but that fact's, in their order. For other local models a rule of what may be
written next. What is said of it all is left to the check that follows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assistant.evidence import CueFact, EffectFact, RegionFact, StrongestFact, VerdictFact
from assistant.evidence.amounts import amounts
from assistant.types import Fact, Verdict

__all__ = ["Pinned", "numbers_in", "pinned_grammar"]

# Words in a row without a number between them.
_MOST_WORDS = 22
# Words of letters, with what may stand around them; a sentence begins with a capital.
_WORDS = r"""begin ::= [A-Z] [a-z]{0,16} inner tail
word ::= "("? [A-Za-z]{1,17} inner tail
inner ::= ([-'] [A-Za-z]{1,12})?
tail ::= [,;:)]{0,2}
"""


def numbers_in(fact: Fact) -> tuple[str, ...]:
    """The numbers of a fact as they are written, each with its unit, in their order."""
    text = fact.text
    return tuple(text[found.start : found.end].strip() for found in amounts(text))


def pinned_grammar(
    facts: Sequence[Fact], *, needed: Collection[str] = (), one_sentence: bool = False
) -> str:
    """The grammar of a text on ``facts``, in llama.cpp's GBNF; empty where there is no fact.

    Args:
        facts: a sentence each at most, in this order; the first or the second begins the text.
        needed: ids of facts that are not left out.
        one_sentence: one sentence on any fact.
    """
    if not facts:
        return ""
    rules = []
    for place, fact in enumerate(facts):
        rules += _sentence(place, fact)
        ways = [f'" " tell-{to} after-{to}' for to in _next(facts, place + 1, needed)]
        if all(other.id not in needed for other in facts[place + 1 :]):
            ways.append('""')
        rules.append(f"after-{place} ::= {' | '.join(ways)}")
    if one_sentence:
        begins = [f"tell-{place}" for place in range(len(facts))]
    else:
        begins = [f"tell-{place} after-{place}" for place in _next(facts, 0, needed)[:2]]
    return "\n".join([f"root ::= {' | '.join(begins)}", _WORDS.rstrip(), *rules]) + "\n"


def _sentence(place: int, fact: Fact) -> list[str]:
    """Words, what the fact is about, and its numbers in their order, each at most once."""
    numbers, name = numbers_in(fact), _about(fact)
    begin = f"begin {'open' if name else 'rest'}-{place}-0"
    if name:
        begin = f"({begin} | {_quoted(name[0].upper() + name[1:])} tail rest-{place}-0)"
    rules = [f'tell-{place} ::= {begin} " [{fact.id}]."']
    for state in ("open", "rest") if name else ("rest",):  # open: not yet said what it is about
        for count in range(len(numbers) + 1):
            later = [
                f'" " "("? {_quoted(number)} tail {state}-{place}-{index}'
                for index, number in enumerate(numbers[count:], count + 1)
            ]
            if state == "open":
                later.append(f'" " {_quoted(name)} tail rest-{place}-{count}')
            goes_on = f" ({' | '.join(later)})" if later else ""
            may_end = "?" if later and state == "rest" else ""
            words = f'(" " word){{0,{_MOST_WORDS}}}{goes_on}{may_end}'
            rules.append(f"{state}-{place}-{count} ::= {words}")
    return rules


def _about(fact: Fact) -> str:
    """What a sentence on a fact must name: the verdict, a region, the first place of a cue."""
    match fact:
        case VerdictFact():
            return "no sign" if fact.verdict is Verdict.NO_SIGN else fact.verdict.words
        case EffectFact() | RegionFact() | StrongestFact():
            return fact.region
        case CueFact() if fact.visible:
            return fact.places[0]
    return ""


def _next(facts: Sequence[Fact], start: int, needed: Collection[str]) -> list[int]:
    """Places from ``start`` to the next fact that is needed, or to the last."""
    found = []
    for place in range(start, len(facts)):
        found.append(place)
        if facts[place].id in needed:
            break
    return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_MARK = re.compile(r"\d[\d.]*%?|\[[^\]]*\]?|%")


@dataclass(frozen=True, slots=True)
class Pinned:
    """Which numbers (``74%``, ``0.4``) and ids a text may hold."""

    numbers: frozenset[str]
    ids: frozenset[str]

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> Pinned:
        """Those of ``facts``."""
        found = (m[0].rstrip(".") for f in facts for m in _MARK.finditer(f.text) if m[0][0] != "[")
        return cls(frozenset(found), frozenset(f"[{fact.id}]" for fact in facts))

    def allows(self, text: str) -> bool:
        """Whether ``text`` may stand so far; at its end a number or an id may be unfinished."""
        for mark in _MARK.finditer(text):
            open_end = mark.end() == len(text)
            known = self.ids if mark[0].startswith("[") else self.numbers
            said = mark[0] if open_end else mark[0].rstrip(".")
            good = any(one.startswith(said) for one in known) if open_end else said in known
            if not good and not (open_end and said.rstrip(".") in known):
                return False
        return True
