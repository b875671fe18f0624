"""Sentences of facts by language, and the German and Spanish names and numbers that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assistant.numbers import percent
from assistant.resources import table
from assistant.translations import LANGUAGES
from assistant.types import Verdict, Wordings

__all__ = [
    "amount_abroad",
    "listed_abroad",
    "percent_abroad",
    "region_abroad",
    "sentences",
    "verdict_abroad",
]

_NAMES = "evidence/sentences/names.yaml"


class Sentences(NamedTuple):
    """The sentences of some kinds of facts, as patterns with the fields of a fact."""

    #: kind -> topic -> patterns
    english: Mapping[str, Wordings]
    #: language -> key -> pattern
    abroad: Mapping[str, Mapping[str, str]]


def sentences(name: str) -> Sentences:
    """What ``sentences/NAME.yaml`` says of the facts of the module NAME."""
    read = table(f"evidence/sentences/{name}.yaml")
    return Sentences(read["en"], {language: read.get(language, {}) for language in LANGUAGES})


def region_abroad(region: str, language: str, *, subject: bool = True) -> str:
    """A region as the subject of a sentence, or as its object."""
    name: str = table(_NAMES)[language]["regions"][region][0 if subject else 1]
    return name


def verdict_abroad(verdict: Verdict, language: str) -> str:
    """The words of a verdict."""
    words: str = table(_NAMES)[language]["verdicts"][verdict.value]
    return words


def percent_abroad(share: float, language: str, digits: int = 0) -> str:
    """As :func:`assistant.numbers.percent`."""
    names = table(_NAMES)[language]
    return percent(share, digits).replace("under", names["under"]).replace("over", names["over"])


def amount_abroad(value: float, unit: str) -> str:
    """A measurement with its unit and a decimal comma."""
    number = f"{value:.0f}" if abs(value) >= 20 else f"{value:.2f}".rstrip("0").rstrip(".")
    number = number.replace(".", ",")
    return f"{number} {unit}".strip() if unit not in {"%", "°"} else f"{number}{unit}"


def listed_abroad(regions: Sequence[str], language: str) -> str:
    """Regions as the object of a sentence."""
    names = [region_abroad(region, language, subject=False) for region in regions]
    ends = [", ".join(names[:-1]), names[-1]][-len(names) :]
    return f" {table(_NAMES)[language]['and']} ".join(ends)
