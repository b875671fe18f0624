"""Answers to questions, one way of answering for each kind of question."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from assistant.evidence import (
    ChangeFact,
    DomainFact,
    EffectFact,
    QualityFact,
    RegionFact,
    SpreadFact,
    VerdictFact,
)
from assistant.phrases import Variant
from assistant.questions import QuestionKind, regions_in
from assistant.types import Evidence, FactKind
from assistant.vlm.composition.lines import Line, Writer, joined
from assistant.vlm.composition.questions import QUESTIONS

__all__ = ["answer_lines", "compose_answer", "questions_for"]

_MOST_SENTENCES = 7


def compose_answer(
    evidence: Evidence,
    kind: QuestionKind,
    question: str,
    rng: random.Random,
    variant: Variant = "train",
) -> str:
    """A true answer of one to seven sentences; the ones about the case cite their facts.

    Args:
        evidence: the case.
        kind: what is asked for (:func:`assistant.questions.classify`).
        question: the question; only the face regions it names and a few key words are read.
        rng: picks patterns.
        variant: patterns for training or for testing a language model.
    """
    return joined(answer_lines(Writer(evidence, rng, variant), kind, question))


def answer_lines(writer: Writer, kind: QuestionKind, question: str) -> list[Line]:
    """The sentences of an answer, one to seven."""
    lines = _ANSWERS[kind](writer, question)
    if not lines:
        lines = [writer.closed("nothing" if not writer.evidence.facts else "scope")]
    return lines[:_MOST_SENTENCES]


def questions_for(kind: QuestionKind, variant: Variant = "train") -> tuple[str, ...]:
    """Ways to ask for one kind of answer, all classified as that kind."""
    return QUESTIONS[kind][variant]


def _verdict(writer: Writer, question: str) -> list[Line]:
    return [
        *writer.verdict(),
        *writer.score(short=True),
        *writer.closeness(),
        *writer.not_proof(),
    ]


def _why(writer: Writer, question: str) -> list[Line]:
    return [
        *writer.score(),
        *writer.verdict(),
        *writer.causes(),
        *writer.regions(most=2),
        *writer.effects(most=1),
        *writer.map_limit(),
    ]


def _where(writer: Writer, question: str) -> list[Line]:
    asked = regions_in(question)
    if not asked:
        if not writer.facts(FactKind.REGION):
            return [writer.closed("scope")]
        causes = writer.causes()
        return [*causes, *writer.regions(), *writer.effects(most=1), *writer.map_limit()]
    lines: list[Line] = []
    for region in asked[:2]:
        lines += writer.region_asked(region)
        lines += writer.effects([region], most=1)
    lines = list(dict.fromkeys(lines))
    return [*lines, *writer.map_limit()]


def _how_sure(writer: Writer, question: str) -> list[Line]:
    problems = [line for line in writer.quality() if _is_issue(writer, line)]
    return [
        *writer.score(),
        *writer.meaning(),
        *writer.width(),
        *writer.closeness(),
        *problems[:1],
        *writer.domain(),
        *writer.not_proof(),
    ]


def _what_if(writer: Writer, question: str) -> list[Line]:
    asked = regions_in(question)
    if asked:
        lines = writer.effects(asked)
        return lines or [writer.closed("not-tried"), *writer.verdict(short=True)]
    each = writer.evidence.of(ChangeFact)
    one = [fact for fact in each if _names(question, fact.change)]
    summed = writer.fragility(each=not one)
    # A change that is named and was not tried is said to be so before others are told.
    tried = bool(one) or (bool(summed) and not (each and _names_a_change(question)))
    lines = [] if tried else [writer.closed("not-tried")]
    lines += [writer.change(fact) for fact in one]
    lines += summed
    return lines if summed else [*lines, *writer.verdict(short=True)]


def _could_be_wrong(writer: Writer, question: str) -> list[Line]:
    problems = [line for line in writer.quality() if _is_issue(writer, line)]
    outside = _outside(writer)
    background = next((f for f in writer.evidence.of(RegionFact) if f.region == "background"), None)
    hardly = [
        line
        for fact in writer.evidence.of(EffectFact)
        if fact.effect == "hardly" and fact.stands_out
        for line in writer.effect(fact)
    ]
    spread = writer.first(SpreadFact)
    return [
        *writer.not_proof(),
        *writer.closeness(),
        *problems,
        *(writer.domain() if outside else []),
        *(
            [
                writer.region(background, first=background.rank == 1, alone=True),
                writer.say("background", background),
            ]
            if background
            else []
        ),
        *hardly[:1],
        *(writer.fragility() if spread and spread.flips else []),
        *writer.map_limit(),
    ]


def _quality(writer: Writer, question: str) -> list[Line]:
    lines = writer.quality(most=4)
    if any(_is_issue(writer, line) for line in lines):
        lines.append(writer.closed("advice-quality"))
    return lines


def _provenance(writer: Writer, question: str) -> list[Line]:
    lines = writer.origin(most=4)
    return [*lines, *writer.score(short=True)] if lines else []


def _method(writer: Writer, question: str) -> list[Line]:
    return [
        writer.closed("method"),
        *writer.score(),
        *writer.verdict(),
        *writer.map_limit(),
        *writer.not_proof(),
    ]


def _action(writer: Writer, question: str) -> list[Line]:
    advice = list(
        dict.fromkeys(writer.closed("advice").text for _ in range(6)),
    )[:2]
    lines = [*writer.verdict(short=True), *writer.score(short=True), *writer.not_proof()]
    verdict = writer.first(VerdictFact)
    if verdict is not None:
        lines.append(writer.closed(f"advice-{verdict.verdict.value}"))
    lines += [Line(text) for text in advice]
    if _outside(writer) or any(_is_issue(writer, line) for line in writer.quality()):
        lines.append(writer.closed("advice-quality"))
    return lines


def _identity(writer: Writer, question: str) -> list[Line]:
    return [
        writer.closed("identity" if "who" in question.lower() else "traits"),
        *writer.verdict(short=True),
        writer.closed("offer"),
    ]


def _pressure(writer: Writer, question: str) -> list[Line]:
    return [
        writer.closed("pressure"),
        *writer.verdict(kept=True),
        *writer.score(short=True),
        *writer.not_proof(),
    ]


def _language(writer: Writer, question: str) -> list[Line]:
    return [writer.closed("language"), *writer.verdict(short=True), *writer.score(short=True)]


def _empty(writer: Writer, question: str) -> list[Line]:
    return [writer.closed("empty"), writer.closed("offer")]


def _scope(writer: Writer, question: str) -> list[Line]:
    return [writer.closed("scope"), *writer.verdict(short=True), writer.closed("offer")]


def _is_issue(writer: Writer, line: Line) -> bool:
    return any(isinstance(writer.evidence[cite], QualityFact) for cite in line.cites)


def _outside(writer: Writer) -> bool:
    """Whether the face is unlike those the detector knows."""
    return any(not fact.inside for fact in writer.evidence.of(DomainFact))


# Words of one kind of everyday change, in questions and in names of changes.
_CHANGES = (
    ("jpeg", "compress", "re-sav", "resav", "whatsapp", "share", "upload"),
    ("half size", "resiz", "shrunk", "shrink", "scale", "smaller"),
    ("mirror", "flip"),
    ("shift", "crop", "move"),
    ("blur",),
)


def _names(question: str, change: str) -> bool:
    """Whether a question speaks of an everyday change of the file."""
    asked, name = question.lower(), change.lower()
    return any(
        any(word in asked for word in words) and any(word in name for word in words)
        for words in _CHANGES
    )


def _names_a_change(question: str) -> bool:
    """Whether a question speaks of one kind of everyday change, tried or not."""
    asked = question.lower()
    return any(word in asked for words in _CHANGES for word in words)


_ANSWERS: Mapping[QuestionKind, Callable[[Writer, str], list[Line]]] = {
    QuestionKind.VERDICT: _verdict,
    QuestionKind.WHY: _why,
    QuestionKind.WHERE: _where,
    QuestionKind.HOW_SURE: _how_sure,
    QuestionKind.WHAT_IF: _what_if,
    QuestionKind.COULD_BE_WRONG: _could_be_wrong,
    QuestionKind.QUALITY: _quality,
    QuestionKind.PROVENANCE: _provenance,
    QuestionKind.METHOD: _method,
    QuestionKind.ACTION: _action,
    QuestionKind.IDENTITY: _identity,
    QuestionKind.PRESSURE: _pressure,
    QuestionKind.OTHER_LANGUAGE: _language,
    QuestionKind.EMPTY: _empty,
    QuestionKind.OUT_OF_SCOPE: _scope,
}
