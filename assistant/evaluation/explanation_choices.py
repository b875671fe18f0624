"""How much of an explanation the language model wrote itself, and how much of it is new."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from assistant.citations import without_cites
from assistant.types import Explanation, SentenceStatus

__all__ = ["Decided", "decided"]

#: So many words in a row that a fact has too count as copied.
_COPIED = 5


@dataclass(frozen=True, slots=True)
class Decided:
    """What the model decided of one text.

    Attributes:
        bits: to write its sentences to someone who knows the facts and the template's text: of a
            zlib stream with both as its dictionary. An upper bound, of use to compare narrators.
        own_words: share of the shown words that the model wrote as they are shown, in [0, 1].
        new_words: share of the shown words that the model wrote and that stand in no run of five
            words which the facts have too.
    """

    bits: float
    own_words: float
    new_words: float


def decided(explanation: Explanation, facts: str, template: str, *, fixed: bool) -> Decided:
    """What a narrator decided of its explanation.

    Args:
        explanation: as told to the user.
        facts: as its prompt showed them.
        template: the template's text on the same case.
        fixed: no model wrote it.
    """
    if fixed or explanation.fell_back:
        return Decided(0.0, 0.0, 0.0)
    own = [
        without_cites(s.text)
        for s in explanation.sentences
        if s.status is SentenceStatus.SUPPORTED and not s.rewritten
    ]
    shown = max(1, len(_words(without_cites(explanation.text))))
    known = _runs(_words(without_cites(facts)))
    new = sum(_new(_words(sentence), known) for sentence in own)
    return Decided(
        _bits(" ".join(own), f"{template} {facts}"),
        min(1.0, sum(len(_words(sentence)) for sentence in own) / shown),
        min(1.0, new / shown),
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[\w%.'-]*\w[\w%]*", text.lower())


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + _COPIED]) for i in range(len(words) - _COPIED + 1)}


def _new(words: list[str], known: set[tuple[str, ...]]) -> int:
    """Words of a sentence that lie in no run that is known."""
    copied = [False] * len(words)
    for start in range(len(words) - _COPIED + 1):
        if tuple(words[start : start + _COPIED]) in known:
            copied[start : start + _COPIED] = [True] * _COPIED
    return copied.count(False)


def _bits(text: str, known: str) -> float:
    def size(data: bytes) -> int:
        packer = zlib.compressobj(9, zdict=known.encode())
        return len(packer.compress(data) + packer.flush())

    return 8.0 * (size(text.encode()) - size(b"")) if text else 0.0
