"""The classifier of questions: five linear read-outs of one sparse vector, in NumPy."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from assistant.errors import WeightsError
from assistant.routing.features import BINS, english, hashed
from assistant.routing.kinds import REFUSED, QuestionKind, Route
from assistant.routing.text import clean_user_text, has_markup
from assistant.weights.store import locate

__all__ = ["Head", "Router", "route"]

#: Below this probability a kind is not taken alone: facts that fit the next ones are told too.
CLEAR = 0.30
#: Below this one nothing is known of the question: the case is told in short.
GUESSED = 0.20
#: What is refused must be likelier than this; else the question is answered from facts.
REFUSING = 0.40
_LETTERS = re.compile(r"[^\W\d_]")
_FILLER = re.compile(
    r"^(?:(?:ok(?:ay)?|well|alright|hey|hi|hello|um+|hmm+|right|please)\b[\s,.!]*(?:but|and|so)?[\s,]+)+"
    r"(?=\w+\W+\w+\W+\w)",
    re.IGNORECASE,
)
_WITH_SENTENCES = frozenset({"en", "de", "es"})


@dataclass(frozen=True, slots=True)
class Head:
    """A linear read-out: ``weights`` int8 of labels x :data:`BINS`, a scale and a bias a label."""

    labels: tuple[str, ...]
    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    biases: NDArray[np.float32]

    def probabilities(
        self, places: NDArray[np.int64], values: NDArray[np.float32]
    ) -> dict[str, float]:
        """Label to probability; they sum to 1."""
        logits = (self.weights[:, places].astype(np.float32) @ values) * self.scales + self.biases
        raised = np.exp(logits - logits.max())
        return dict(zip(self.labels, map(float, raised / raised.sum()), strict=True))


class Router:
    """Says what a question asks for.

    Args:
        heads: ``kinds``, ``topics`` (labels ``kind/topic``), ``languages``, ``sentence`` and
            ``simple``.
        idf: weights of the :data:`BINS` places.
    """

    def __init__(self, heads: Mapping[str, Head], idf: NDArray[np.float32]) -> None:
        self.heads = heads
        self.idf = idf

    @classmethod
    def load(cls, path: Path) -> Router:
        """Read a router's file.

        Raises:
            WeightsError: it is none.
        """
        try:
            with safe_open(path, framework="numpy") as stored:
                labels: Mapping[str, Sequence[str]] = json.loads(stored.metadata()["labels"])
                heads = {
                    name: Head(
                        tuple(own),
                        stored.get_tensor(f"{name}.weights"),
                        stored.get_tensor(f"{name}.scales"),
                        stored.get_tensor(f"{name}.biases"),
                    )
                    for name, own in labels.items()
                }
                idf = stored.get_tensor("idf").astype(np.float32)
        except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
            raise WeightsError(
                f"{path.name} is no router of questions: {error}.",
                hint="Install whyfake again, or make one with `whyfake train router`.",
                code="weights-router",
            ) from error
        if idf.shape != (BINS,) or any(h.weights.shape[1] != BINS for h in heads.values()):
            raise WeightsError(
                f"{path.name} is a router of vectors of {len(idf)} numbers, not {BINS}.",
                hint="Make it anew with `whyfake train router`.",
                code="weights-router",
            )
        return cls(heads, idf)

    def language(self, text: str) -> str:
        """``en``, ``de`` or ``es``; empty for any other language."""
        letters = _LETTERS.findall(text)
        latin = sum("LATIN" in unicodedata.name(c, "") for c in letters)
        if latin < 0.6 * len(letters):
            return ""
        found = self.heads["languages"].probabilities(*hashed(text))
        best = max(found, key=lambda name: found[name])
        return best if best in _WITH_SENTENCES else ""

    def __call__(self, question: str) -> Route:
        """What ``question`` asks for; never fails, whatever it holds."""
        text = _FILLER.sub("", clean_user_text(question))
        if has_markup(question):
            return Route(kind=QuestionKind.PRESSURE, topic="injection")
        if not _LETTERS.search(text):
            return Route(kind=QuestionKind.EMPTY)
        language = self.language(text)
        places, values = hashed(english(text, language or "other"), self.idf)
        found = self.heads["kinds"].probabilities(places, values)
        kinds = {QuestionKind(label): share for label, share in found.items()}
        ranked = sorted(kinds, key=lambda kind: -kinds[kind])
        if ranked[0] in REFUSED and kinds[ranked[0]] < REFUSING:
            ranked = [
                *(k for k in ranked if k not in REFUSED),
                *(k for k in ranked if k in REFUSED),
            ]
        if kinds[ranked[0]] < GUESSED:
            ranked = [QuestionKind.SUMMARY, *(k for k in ranked if k is not QuestionKind.SUMMARY)]
        kind = ranked[0]
        topics = self.heads["topics"].probabilities(places, values)
        own = {name: share for name, share in topics.items() if name.partition("/")[0] == kind}
        asked = {
            name: self.heads[name].probabilities(places, values)["yes"]
            for name in ("sentence", "simple")
        }
        return Route(
            kind=kind,
            topic=max(own, key=lambda name: own[name]).partition("/")[2],
            language=language,
            confidence=kinds[kind],
            one_sentence=asked["sentence"] > 0.5,
            simple=asked["simple"] > 0.5,
            others=tuple(k for k in ranked[1:3] if kinds[kind] < CLEAR and k not in REFUSED),
        )


@cache
def _shipped() -> Router:
    return Router.load(locate("router"))


def route(question: str) -> Route:
    """What ``question`` asks for, by the router that ships.

    Raises:
        WeightsError: its file is missing or changed.
    """
    return _shipped()(question)
