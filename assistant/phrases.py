"""Sentences that claim nothing about a case: refusals, advice, offers. A closed list. Pure.

They may be shown without a fact behind them. What writes text (the template narrator, the training
of the language model) and what checks text (grounding) share this list, so it lives
beside the types.
``train`` and ``heldout`` part what a language model was trained on from what it is tested on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

from assistant.translations import CLOSED_ABROAD

__all__ = ["CLOSED", "Variant", "about", "is_closed", "phrases"]

Variant = Literal["train", "heldout"]

#: topic -> variant -> sentences.
CLOSED: Mapping[str, Mapping[Variant, tuple[str, ...]]] = {
    "identity": {
        "train": (
            "I cannot say who this is, because nothing of that was measured.",
            "I do not say who a person is, and I do not guess.",
            "Who this is was not measured, so I cannot answer that.",
        ),
        "heldout": (
            "I cannot answer who this is, because it was not measured.",
            "I do not guess who a person is.",
        ),
    },
    "traits": {
        "train": (
            "I do not judge age, origin, gender, looks or motives.",
            "Nothing was measured about age, origin, gender, looks or motives.",
        ),
        "heldout": ("Age, origin, gender, looks and motives were not measured.",),
    },
    "pressure": {
        "train": (
            "I cannot change the verdict; it is read from the measured score.",
            "The verdict comes from the measured score, and no request changes it.",
            "A request does not change what was measured.",
        ),
        "heldout": (
            "No request changes the measured score.",
            "I cannot change what was measured.",
        ),
    },
    "scope": {
        "train": (
            "I can only explain the check of this face.",
            "That is outside what was measured here.",
            "Nothing was measured about that, so I cannot answer it.",
        ),
        "heldout": (
            "That was not measured, so I cannot answer it.",
            "I can answer only about the check of this face.",
        ),
    },
    "language": {
        "train": ("I can answer in English, German and Spanish so far.",),
        "heldout": ("So far I can answer in English, German and Spanish.",),
    },
    "empty": {
        "train": ("Please ask a question about the check of this face.",),
        "heldout": ("Please ask something about the check of this face.",),
    },
    "not-tried": {
        "train": (
            "That was not tried, so I cannot say what would happen.",
            "No such change was tried here.",
        ),
        "heldout": ("I cannot say what would happen, because it was not tried.",),
    },
    "not-mapped": {
        "train": (
            "There is no map for that region.",
            "That region was not measured.",
        ),
        "heldout": ("Nothing was measured for that region.",),
    },
    "nothing": {
        "train": ("No facts were measured, so there is nothing to explain.",),
        "heldout": ("There is nothing to explain, because no facts were measured.",),
    },
    "method": {
        "train": (
            "A detector scores the face, and I only explain what was measured.",
            "The detector decides; I only put its measurements into words.",
            "The score is turned into a probability with data that was kept apart for that.",
        ),
        "heldout": ("The detector gives the score, and I only explain it.",),
    },
    "advice": {
        "train": (
            "Do not decide on this score alone.",
            "Look for the original picture or an earlier copy.",
            "Ask the sender for the original file.",
            "Let a second person look at it.",
            "Check where the picture was first posted.",
        ),
        "heldout": (
            "Do not act on this score alone.",
            "Look for an earlier copy of the picture.",
            "Ask a second person to look at it.",
        ),
    },
    "advice-first": {
        "train": ("Find the original file and let a person decide.",),
        "heldout": ("Look for the original, and have a person decide.",),
    },
    "advice-quality": {
        "train": (
            "Check a larger or sharper copy if there is one.",
            "A better copy of the picture would help.",
        ),
        "heldout": ("A larger or sharper copy would help.",),
    },
    "advice-likely_manipulated": {
        "train": (
            "Hold the picture back for now.",
            "Do not pass the picture on before you know where it comes from.",
        ),
        "heldout": ("Keep the picture back until its source is known.",),
    },
    "advice-no_sign": {
        "train": (
            "A low score does not clear a picture: check its source and caption too.",
            "Check source and caption all the same: a low score does not clear a picture.",
        ),
        "heldout": ("A low score clears no picture: look at its source and caption as well.",),
    },
    "advice-uncertain": {
        "train": (
            "Treat the case as open until you know more.",
            "Keep the case open and look for other evidence.",
        ),
        "heldout": ("Leave the case open until there is other evidence.",),
    },
    "offer": {
        "train": (
            "You can ask where, how sure, or what could be wrong.",
            "Ask me where, how sure, or what could be wrong.",
        ),
        "heldout": ("You may ask where, how sure, or what could be wrong.",),
    },
    "connective": {
        "train": (
            "Here is why.",
            "Here is what was measured.",
            "In short:",
            "To sum up:",
        ),
        "heldout": ("Here is what was found.",),
    },
    "courtesy": {
        "train": ("Thank you for asking.", "Good question."),
        "heldout": ("Thanks for asking.",),
    },
}


def phrases(topic: str, variant: Variant = "train") -> tuple[str, ...]:
    """The sentences of one topic.

    Raises:
        KeyError: no such topic.
    """
    return CLOSED[topic][variant]


def about(topic: str, language: str = "en") -> tuple[str, ...]:
    """What is said of the tool itself, or of what was not measured, in the order it is told.

    Raises:
        KeyError: no such topic or language.
    """
    return tuple(_told_of_the_tool()[topic][language])


@cache
def _told_of_the_tool() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    text = (files("assistant") / "about.yaml").read_text("utf-8")
    told: Mapping[str, Mapping[str, tuple[str, ...]]] = yaml.safe_load(text)
    return told


def _plain(sentence: str) -> str:
    return re.sub(r"[\W\d_]+", " ", sentence.lower()).strip()


@cache
def _closed() -> frozenset[str]:
    listed = [said for variants in CLOSED.values() for told in variants.values() for said in told]
    listed += [said for told in CLOSED_ABROAD.values() for said in told.values()]
    listed += [said for by in _told_of_the_tool().values() for told in by.values() for said in told]
    return frozenset(_plain(said) for said in listed)


def is_closed(sentence: str) -> bool:
    """Whether ``sentence`` is on the list, whatever its case and punctuation."""
    if any(c.isdigit() for c in sentence):
        return False
    return _plain(sentence) in _closed()
