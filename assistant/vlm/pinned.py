"""Free text with pinned numbers: any words, but only the numbers and ids of the facts at hand.

For llama.cpp a grammar (GBNF): sentences in the order of the facts, each at most once, each ending
in the ids that it rests on and holding no numbers but theirs. For other local models a rule of what
may be written next. Directions, regions and verdict words are left to the check that follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.evidence.amounts import amounts
from assistant.types import Fact

__all__ = ["Pinned", "numbers_in", "pinned_grammar"]

_LEAST_WORDS, _MOST_WORDS = 3, 34
# Words of letters, with what may stand around them; a sentence begins with a capital.
_WORDS = r"""begin ::= [A-Z] [a-z]{0,16} inner tail
word ::= "("? [A-Za-z]{1,17} inner tail
inner ::= ([-'] [A-Za-z]{1,12})?
tail ::= [,;:)]?
"""


def numbers_in(fact: Fact) -> tuple[str, ...]:
    """The numbers of a fact as they are written, each with its unit."""
    text = fact.text
    return tuple(dict.fromkeys(text[found.start : found.end] for found in amounts(text)))


def pinned_grammar(facts: Sequence[Fact], *, one_sentence: bool = False) -> str:
    """The grammar of a text on ``facts``, in llama.cpp's GBNF; empty where there is no fact.

    A sentence rests on one fact, or on two that stand side by side. The text begins with the first
    fact or the second; others may be left out.
    """
    if not facts:
        return ""
    rules = [_WORDS.rstrip()]
    for place, fact in enumerate(facts):
        rules.append(_numbers(f"number-{place}", numbers_in(fact)))
        rules += _sentence(f"tell-{place}", (place,), facts)
        if place + 1 < len(facts):
            rules += _sentence(f"both-{place}", (place, place + 1), facts)
        goes_on = [f'" " {way}' for way in _ways(range(place + 1, len(facts)), len(facts))]
        rules.append(f"after-{place} ::= " + " | ".join([*goes_on, '""']))
    begins = _ways(range(min(2, len(facts))), len(facts))
    if one_sentence:
        begins = [way.split()[0] for way in begins]
    elif len(facts) > 1:
        begins.append('tell-1 " " tell-0 after-1')
    return "\n".join([f"root ::= {' | '.join(begins)}", *filter(None, rules)]) + "\n"


def _ways(places: Iterable[int], count: int) -> list[str]:
    """To tell one of the facts at ``places``, alone or with the next one, and what may follow."""
    ways = []
    for place in places:
        ways.append(f"tell-{place} after-{place}")
        if place + 1 < count:
            ways.append(f"both-{place} after-{place + 1}")
    return ways


def _numbers(name: str, numbers: Sequence[str]) -> str:
    if not numbers:
        return ""
    return f'{name} ::= "("? ({" | ".join(map(_quoted, numbers))}) tail'


def _sentence(name: str, places: tuple[int, ...], facts: Sequence[Fact]) -> list[str]:
    numbers = [f"number-{place}" for place in places if numbers_in(facts[place])]
    words = f"{name}-word ::= {' | '.join(['word', *numbers])}"
    begin = " | ".join(["begin", *numbers])
    marks = "".join(f"[{facts[place].id}]" for place in places)
    many = f"{{{_LEAST_WORDS - 1},{_MOST_WORDS - 1}}}"
    return [words, f'{name} ::= ({begin}) (" " {name}-word){many} " {marks}."']


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
