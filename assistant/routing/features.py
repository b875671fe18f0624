"""A question as a short vector: hashed words, pairs of words, parts of words, and concepts."""

from __future__ import annotations

import itertools
import re
import unicodedata
import zlib
from collections import Counter
from functools import cache

import numpy as np
from numpy.typing import NDArray

from assistant.resources import table

__all__ = ["BINS", "english", "hashed", "words_of"]

#: Length of a vector.
BINS = 1 << 14
#: The share of each group of features in a vector's length.
_SHARES = {"word": 1.0, "part": 0.7, "concept": 1.0}
_MOST_WORDS = 60
_WORD = re.compile(r"\[?[a-z]\d{1,2}\]?(?![\w%])|\d+(?:[.,]\d+)?|[^\W\d_]+(?:['-][^\W\d_]+)*")
_FACT_ID = re.compile(r"\[?[a-z]\d+\]?")


def words_of(text: str) -> list[str]:
    """Lower-case words without accents; numbers become ``0``, fact ids ``s1``; at most 60."""
    low = text.lower().replace("\u2019", "'").replace("ß", "ss")
    plain = "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c))
    found = _WORD.findall(plain)[:_MOST_WORDS]
    return ["0" if w[0].isdigit() else "s1" if _FACT_ID.fullmatch(w) else w for w in found]


def english(text: str, language: str) -> str:
    """A German or Spanish text word by word in English; any other as it is."""
    glossary = _glossaries().get(language)
    if glossary is None:
        return text
    return " ".join(glossary.get(word, word).replace("-", " ") for word in words_of(text))


def hashed(
    text: str, idf: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places and values of a question's vector of :data:`BINS` numbers.

    Args:
        text: the question.
        idf: a weight for each of the :data:`BINS` places; without it all weigh the same.
    """
    places: dict[int, float] = {}
    for group, counts in _groups(text).items():
        own: dict[int, float] = {}
        for feature, count in counts.items():
            place = zlib.crc32(f"{group}:{feature}".encode()) % BINS
            weight = 1.0 if idf is None else float(idf[place])
            own[place] = own.get(place, 0.0) + (1 + float(np.log(count))) * weight
        length = float(np.sqrt(sum(v * v for v in own.values()))) or 1.0
        for place, value in own.items():
            places[place] = places.get(place, 0.0) + _SHARES[group] * value / length
    where = np.fromiter(places, np.int64, len(places))
    return where, np.fromiter(places.values(), np.float32, len(places))


def _groups(text: str) -> dict[str, Counter[str]]:
    words = words_of(text)
    around = ["^", *words, "$"]
    meant = ["^", *(_concept(word) for word in words), "$"]
    parts: Counter[str] = Counter()
    for word in words:
        padded = f" {word} "
        # A script without spaces is one long word: its pairs of letters tell more.
        sizes = (3, 4, 5) if padded.isascii() else (2, 3, 4)
        parts.update(padded[i : i + n] for n in sizes for i in range(len(padded) - n + 1))
    near = [f"{a} {b}" for a, b in itertools.pairwise(meant)]
    apart = [f"{a} _ {b}" for a, b in zip(meant, meant[2:], strict=False)]
    return {
        "word": Counter([*words, *(f"{a} {b}" for a, b in itertools.pairwise(around))]),
        "part": parts,
        "concept": Counter([*dict.fromkeys(meant[1:-1]), *near, *apart]),
    }


@cache
def _concept(word: str) -> str:
    whole, starts = _concepts()
    if word in whole:
        return whole[word]
    return next((concept for start, concept in starts if word.startswith(start)), word)


@cache
def _concepts() -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Whole words, and beginnings of words (longest first), with their concept."""
    whole: dict[str, str] = {}
    starts: dict[str, str] = {}
    for concept, words in _listed("concepts.yaml").items():
        for word in words.split():
            (starts if word.endswith("*") else whole).setdefault(word.rstrip("*"), concept)
    return whole, tuple(sorted(starts.items(), key=lambda item: -len(item[0])))


@cache
def _glossaries() -> dict[str, dict[str, str]]:
    return {
        language: dict(pair.split("=", 1) for pair in pairs.split())
        for language, pairs in _listed("glossary.yaml").items()
    }


def _listed(name: str) -> dict[str, str]:
    return {str(key): str(value) for key, value in table(f"routing/{name}").items()}
