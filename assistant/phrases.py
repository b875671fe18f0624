"""Sentences that claim nothing about a case: refusals, advice, offers. A closed list. Pure.

They may be shown without a fact behind them. What writes text (the template narrator, the training
of the language model) and what checks text (grounding) share this list, so it lives
beside the types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from assistant.resources import table
from assistant.translations import LANGUAGES, Language

__all__ = ["CLOSED", "CLOSED_ABROAD", "about", "is_closed", "phrases"]

#: topic -> sentences, as ``closed.yaml`` lists them.
CLOSED: Mapping[str, Sequence[str]] = table("closed.yaml")["en"]
#: language -> topic -> a sentence.
CLOSED_ABROAD: Mapping[Language, Mapping[str, str]] = {
    language: table("closed.yaml")[language] for language in LANGUAGES
}


def phrases(topic: str) -> tuple[str, ...]:
    """The sentences of one topic.

    Raises:
        KeyError: no such topic.
    """
    return tuple(CLOSED[topic])


def about(topic: str, language: str = "en") -> tuple[str, ...]:
    """What is said of the tool itself, or of what was not measured, in the order it is told.

    Raises:
        KeyError: no such topic or language.
    """
    return tuple(table("about.yaml")[topic][language])


def _plain(sentence: str) -> str:
    return re.sub(r"[\W\d_]+", " ", sentence.lower()).strip()


@cache
def _closed() -> frozenset[str]:
    listed = [said for told in CLOSED.values() for said in told]
    listed += [said for told in CLOSED_ABROAD.values() for said in told.values()]
    listed += [said for by in table("about.yaml").values() for told in by.values() for said in told]
    return frozenset(_plain(said) for said in listed)


def is_closed(sentence: str) -> bool:
    """Whether ``sentence`` is on the list, whatever its case and punctuation."""
    if any(c.isdigit() for c in sentence):
        return False
    return _plain(sentence) in _closed()
