"""Text to sentences with their citations."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Piece", "finished", "plain", "split"]

_CITE = re.compile(
    r"\s*[\[(]\s*((?:[A-Z]\d{1,3})(?:\s*(?:,|;|and|&|/)?\s*[A-Z]\d{1,3})*)\s*[\])]", re.IGNORECASE
)
_ID = re.compile(r"[A-Za-z]\d{1,3}")
_PLAIN = str.maketrans("\u2019\u2018\u201c\u201d\u2013\u2014", "''\"\"--")
_BULLET = re.compile(r"^\s*(?:[-*+•‣·]\s+|\(?\d{1,2}[.)]\s+|#{1,6}\s+|>\s+)")
_EMPHASIS = re.compile(r"(\*\*|__|\*|`)(?=\S)(.+?)(?<=\S)\1")
# A full stop that ends no sentence: of an abbreviation, an initial, or a number.
_SHORT = re.compile(
    r"(?:\b(?:e\.g|i\.e|approx|vs|cf|etc|no|fig|dr|mr|mrs|ms|prof|st|ca|incl|resp|a\.k\.a)"
    r"|\b[A-Za-z])\.$",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?\u2026]+[\"\u201d\u2019')\]]*(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence as written, its words without citations and markdown, and the ids it cites."""

    written: str
    body: str
    cites: tuple[str, ...]


def finished(text: str) -> str:
    """Without a last sentence that was cut off, where one before it is whole."""
    whole = text.rstrip()
    end = max(whole.rfind(mark) for mark in (". ", "! ", "? ", "\n"))
    return text if whole[-1:] in {*".!?]\"'"} or end < 0 else whole[: end + 1]


def split(text: str) -> list[Piece]:
    """The sentences of ``text``: by full stops and lines, not at decimals or abbreviations.

    Citations after a full stop (``... no sign found. [S2]``) belong to the sentence before them.
    """
    pieces: list[Piece] = []
    for line in text.replace("\r", "\n").split("\n"):
        line = _BULLET.sub("", line).strip()
        if not line or set(line) <= set("-=_*#~"):
            continue
        for whole in _of_line(line):
            written = _given_back(whole, pieces)
            body, cites = _without_cites(written)
            body = plain(body)
            if body:
                pieces.append(Piece(written, body, cites))
            elif cites and pieces:
                last = pieces[-1]
                merged = tuple(dict.fromkeys((*last.cites, *cites)))
                pieces[-1] = Piece(f"{last.written} {written}", last.body, merged)
    return pieces


def _given_back(written: str, pieces: list[Piece]) -> str:
    """Hand ids that open a sentence to the one before it, whose full stop they follow."""
    match = _CITE.match(written)
    if match is None or not pieces or match.end() == len(written):
        return written
    last = pieces[-1]
    cites = tuple(dict.fromkeys((*last.cites, *(i.upper() for i in _ID.findall(match[1])))))
    pieces[-1] = Piece(f"{last.written} {match[0].strip()}", last.body, cites)
    return written[match.end() :].strip()


def _of_line(line: str) -> list[str]:
    found: list[str] = []
    start = 0
    for match in _END.finditer(line):
        end = match.end()
        before = line[start : match.start() + 1]
        rest = line[end:].lstrip()
        if match.group().startswith(".") and rest:
            if _SHORT.search(before) and not before.rstrip(".").endswith(("]", ")")):
                continue
            if rest[:1].islower():
                continue
        if line[start:end].count('"') % 2 and '"' in line[end:]:
            continue
        found.append(line[start:end].strip())
        start = end
    if line[start:].strip():
        found.append(line[start:].strip())
    return found


def _without_cites(written: str) -> tuple[str, tuple[str, ...]]:
    cites: list[str] = []

    def take(match: re.Match[str]) -> str:
        cites.extend(i.upper() for i in _ID.findall(match[1]))
        return ""

    body = _CITE.sub(take, written)
    return body, tuple(dict.fromkeys(cites))


def plain(text: str) -> str:
    """Without markdown emphasis, with plain quotes and dashes and single spaces."""
    text = _EMPHASIS.sub(r"\2", text)
    text = text.translate(_PLAIN)
    text = re.sub(r"\s+([.,;:!?])", r"\1", " ".join(text.split()))
    return text if re.search(r"\w", text) else ""
