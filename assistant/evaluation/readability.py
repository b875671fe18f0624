"""How hard a text is to read."""

from __future__ import annotations

import re

__all__ = ["grade_level", "word_count"]

_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d[\d.,]*%?")
_CITE = re.compile(r"\s*\[[A-Z]\d+(?:\s*,\s*[A-Z]\d+)*\]")


def word_count(text: str) -> int:
    """Words, without citations."""
    return len(_CITE.sub("", text).split())


def grade_level(text: str) -> float:
    """Flesch-Kincaid grade level (Kincaid et al. 1975); 0.0 for a text without words.

    A number counts as one word of two syllables.
    """
    plain = _CITE.sub("", text)
    words = _WORD.findall(plain)
    if not words:
        return 0.0
    sentences = max(1, len(re.findall(r"[.!?](?=\s|$)", plain)))
    syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def _syllables(word: str) -> int:
    if word[0].isdigit():
        return 2
    word = word.lower()
    groups = len(re.findall(r"[aeiouy]+", word))
    if word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1:
        groups -= 1
    if word.endswith("ed") and not word.endswith(("ted", "ded")) and groups > 1:
        groups -= 1
    return max(1, groups)
