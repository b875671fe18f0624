"""Shorter answers, where one sentence or simple words are asked for."""

from __future__ import annotations

from assistant.evidence import ScoreFact, VerdictFact
from assistant.phrases import about
from assistant.routing import QuestionKind, Route
from assistant.vlm.composition.lines import Line, Writer

__all__ = ["in_one", "said_of", "simply"]


_MOST_SIMPLE = 5


def said_of(topic: str) -> list[Line]:
    """What is said of a topic in every case; it rests on no fact."""
    return [Line(text) for text in about(topic)]


def in_one(writer: Writer, asked: Route) -> Line | None:
    """Verdict and number in one sentence; for why, what the score rests on."""
    score, verdict = writer.first(ScoreFact), writer.first(VerdictFact)
    if asked.kind is QuestionKind.WHY:
        causes = [*writer.causes()[:1], *writer.regions(most=1)[:1]]
        if causes:
            return causes[0]
    if asked.kind not in _ABOUT_THE_SCORE or score is None or verdict is None:
        return None
    told, number = writer.verdict(short=True)[0], writer.score(short=True)[0]
    number_text = number.text[0].lower() + number.text[1:]
    return Line(f"{told.text.removesuffix('.')}, and {number_text}", (*told.cites, *number.cites))


def simply(writer: Writer, asked: Route, lines: list[Line]) -> list[Line]:
    """Fewer and plainer sentences."""
    end = said_of("simple-end")
    if asked.kind not in _ABOUT_THE_SCORE | {QuestionKind.WHY}:
        return [*lines[:2], *end]
    told = [*said_of("simple"), *writer.score(short=True), *writer.verdict(short=True)]
    if asked.kind is not QuestionKind.VERDICT:
        told += writer.causes()[:1]  # a map and its shares are not simple words
    return [*told[: _MOST_SIMPLE - 1], *end]


_ABOUT_THE_SCORE = frozenset(
    {QuestionKind.VERDICT, QuestionKind.HOW_SURE, QuestionKind.SUMMARY, QuestionKind.COULD_BE_WRONG}
)
