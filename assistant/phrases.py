"""Sentences that claim nothing about a case: refusals, advice, offers. A closed list. Pure.

They may be shown without a fact behind them. What writes text (the template narrator, the training
of the language model) and what checks text (grounding) share this list, so it lives
beside the types.
``train`` and ``heldout`` part what a language model was trained on from what it is tested on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

from assistant.resources import table
from assistant.translations import LANGUAGES, Language

__all__ = ["CLOSED", "CLOSED_ABROAD", "Variant", "about", "is_closed", "phrases"]

Variant = Literal["train", "heldout"]

#: topic -> variant -> sentences, as ``closed.yaml`` lists them.
CLOSED: Mapping[str, Mapping[Variant, Sequence[str]]] = table("closed.yaml")["en"]
#: language -> topic -> a sentence.
CLOSED_ABROAD: Mapping[Language, Mapping[str, str]] = {
    language: table("closed.yaml")[language] for language in LANGUAGES
}


def phrases(topic: str, variant: Variant = "train") -> tuple[str, ...]:
    """The sentences of one topic.

    Raises:
        KeyError: no such topic.
    """
    return tuple(CLOSED[topic][variant])


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
    listed = [said for variants in CLOSED.values() for told in variants.values() for said in told]
    listed += [said for told in CLOSED_ABROAD.values() for said in told.values()]
    listed += [said for by in table("about.yaml").values() for told in by.values() for said in told]
    return frozenset(_plain(said) for said in listed)


def is_closed(sentence: str) -> bool:
    """Whether ``sentence`` is on the list, whatever its case and punctuation."""
    if any(c.isdigit() for c in sentence):
        return False
    return _plain(sentence) in _closed()
