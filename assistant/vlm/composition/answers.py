"""Answers to questions, one way of answering for each kind of question."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from assistant.evidence import (
    ChangeFact,
    DomainFact,
    EffectFact,
    FramesFact,
    KindFact,
    OriginFact,
    QualityFact,
    RegionFact,
    SpreadFact,
    VerdictFact,
    told_opinions,
)
from assistant.routing import QuestionKind, Route, named_times, regions_in, route
from assistant.types import Evidence, FactKind, Verdict
from assistant.vlm.composition.asked_changes import names, names_a_change
from assistant.vlm.composition.lines import Line, Writer, joined
from assistant.vlm.composition.shorter import in_one, said_of, simply

__all__ = ["compose_answer"]

_MOST_SENTENCES = 7
_Way = Callable[[Writer, Route, str], list[Line]]


def compose_answer(evidence: Evidence, question: str, rng: random.Random) -> str:
    """A true answer of one to seven sentences; the ones about the case cite their facts.

    Args:
        evidence: the case.
        question: what is asked; only the face regions and the changes it names are read.
        rng: picks patterns.
    """
    return joined(_lines(Writer(evidence, rng), question))


def _lines(writer: Writer, question: str) -> list[Line]:
    asked = route(question)
    if not writer.evidence.facts and asked.kind not in _WITHOUT_FACTS:
        return [writer.closed("nothing")]
    if timed := writer.asked_times(question):
        if named_times(question) is None:  # of another person: this one's verdict would mislead
            return timed[:_MOST_SENTENCES]
        return [*timed, *writer.verdict(short=True)][:_MOST_SENTENCES]
    if others := told_opinions(writer.evidence, question):
        return [*(Line(f.text, (f.id,)) for f in others[:3]), *writer.verdict(short=True)]
    lines = _ANSWERS[asked.kind](writer, asked, question)
    for kind in asked.others:
        # It is not clear what is asked: what fits the next likely kinds is told too.
        way = replace(asked, kind=kind, topic=_USUAL.get(kind, ""))
        told = {cite for line in lines for cite in line.cites}
        more = _ANSWERS[kind](writer, way, question)
        lines += [line for line in more if line.cites and not told.issuperset(line.cites)][:2]
    lines = list(dict.fromkeys(lines)) or [writer.closed("scope"), *writer.verdict(short=True)]
    if asked.one_sentence and asked.kind is not QuestionKind.NOTE:
        return [in_one(writer, asked) or lines[0]]
    if asked.simple and asked.kind is not QuestionKind.NOTE:
        return simply(writer, asked, lines)
    if not asked.language:
        lines = [writer.closed("language"), *lines]
    return lines[:_MOST_SENTENCES]


def _why(writer: Writer, asked: Route, question: str) -> list[Line]:
    return [
        *writer.score(),
        *writer.verdict(),
        *writer.causes(),
        *writer.cues(most=1, nothing=True),
        *writer.regions(most=2),
        *writer.effects(most=1),
        *_map_limit(writer),
    ]


def _where(writer: Writer, asked: Route, question: str) -> list[Line]:
    named = regions_in(question)
    if not named:
        flagged = writer.evidence.verdict is Verdict.LIKELY_MANIPULATED
        verdict = [] if flagged else writer.verdict(short=True)
        if not writer.facts(FactKind.REGION):
            return [*verdict, *writer.causes()]
        return [
            *verdict,
            *writer.cues(most=2),
            *writer.causes(),
            *writer.regions(asked=True),
            *writer.effects(most=1),
            *writer.map_limit(),
        ]
    lines: list[Line] = []
    for region in named[:2]:
        lines += writer.region_asked(region)
        lines += writer.effects([region], most=1) or said_of("not-covered")
    return [*dict.fromkeys(lines), *writer.map_limit()]


def _cues(writer: Writer, asked: Route, question: str) -> list[Line]:
    seen = [Line(f.text, (f.id,)) for f in writer.evidence.facts if f.id.startswith("V")]
    named = [line for region in regions_in(question)[:2] for line in writer.region_asked(region)]
    if seen:
        return [*seen[:4], *named]
    missing = said_of("cues")
    rests = [*writer.causes()[:1], *writer.regions(most=1)[:1]]
    return [missing[0], *(named or rests), *missing[1:], *writer.verdict(short=True)]


def _how_sure(writer: Writer, asked: Route, question: str) -> list[Line]:
    if asked.topic == "threshold":
        return [*writer.limits(), *writer.verdict(), *writer.closeness()]
    if asked.topic == "meaning":
        return [*writer.score(), *writer.meaning(), *writer.width(), *writer.not_proof()]
    return [
        *writer.score(),
        *writer.meaning(),
        *writer.width(),
        *writer.closeness(),
        *_problems(writer)[:1],
        *writer.domain(),
        *writer.not_proof(),
    ]


def _what_if(writer: Writer, asked: Route, question: str) -> list[Line]:
    named = regions_in(question)
    if named:
        lines = writer.effects(named)
        return lines or [*said_of("not-tried"), *writer.verdict(short=True)]
    each = writer.evidence.of(ChangeFact)
    one = [fact for fact in each if names(question, fact.change)]
    summed = writer.fragility(each=not one)
    # A change that is named and was not tried is said to be so before others are told.
    tried = bool(one) or (bool(summed) and not (each and names_a_change(question)))
    lines = [] if tried else said_of("not-tried")
    lines += [writer.change(fact) for fact in one]
    lines += summed
    return lines if summed else [*lines, *writer.effects(most=1), *writer.verdict(short=True)]


def _could_be_wrong(writer: Writer, asked: Route, question: str) -> list[Line]:
    background = next((f for f in writer.evidence.of(RegionFact) if f.region == "background"), None)
    hardly = [
        line
        for fact in writer.evidence.of(EffectFact)
        if fact.effect == "hardly" and fact.stands_out
        for line in writer.effect(fact)
    ]
    spread = writer.first(SpreadFact)
    lines = [
        *writer.not_proof(),
        *writer.misses(),
        *writer.closeness(),
        *_problems(writer),
        *(writer.domain() if _outside(writer) else []),
    ]
    if background and writer.evidence.verdict is not Verdict.NO_SIGN:
        lines.append(writer.region(background, first=background.rank == 1, alone=True))
        lines.append(writer.say("background", background))
    return [
        *lines,
        *hardly[:1],
        *(writer.fragility() if spread and spread.flips else []),
        *writer.score(short=True),
        *(_map_limit(writer) if background or hardly else []),
    ]


def _limits(writer: Writer, asked: Route, question: str) -> list[Line]:
    lines = said_of(asked.topic)
    if asked.topic in {"misses", "accuracy"}:
        lines = [*writer.misses(), *lines]
    elif asked.topic == "data":
        lines += writer.domain()
    return [*lines, *_problems(writer)[:1], *writer.not_proof()]


def _manipulation(writer: Writer, asked: Route, question: str) -> list[Line]:
    missing = said_of(asked.topic)
    if asked.topic == "kind" and writer.first(KindFact):
        return [*writer.kind(), *writer.verdict(short=True), *writer.score(short=True)]
    named = [f for f in writer.evidence.of(OriginFact) if f.values().get("value")]
    said = writer.origin(most=2) if named or asked.topic == "generator" else []
    return [missing[0], *said, *missing[1:], *writer.verdict(short=True), *writer.score(short=True)]


def _quality(writer: Writer, asked: Route, question: str) -> list[Line]:
    lines = writer.quality(most=4)
    if _problems(writer):
        lines.append(writer.closed("advice-quality"))
    return lines or said_of("better")


def _provenance(writer: Writer, asked: Route, question: str) -> list[Line]:
    origin = writer.origin(most=4)
    if asked.topic == "maker":
        missing = said_of("maker")
        return [missing[0], *origin, *missing[1:]]
    return [*origin, *said_of("next"), *writer.score(short=True)]


def _action(writer: Writer, asked: Route, question: str) -> list[Line]:
    if asked.topic in {"better", "court"}:
        lines = said_of(asked.topic)
        more = _problems(writer) if asked.topic == "better" else writer.verdict(short=True)
        return [*lines, *more[:2], *writer.not_proof()]
    verdict = writer.first(VerdictFact)
    lines = [writer.closed(f"advice-{verdict.verdict.value}")] if verdict is not None else []
    lines += said_of("next")
    lines += [*writer.verdict(short=True), *writer.score(short=True), *writer.not_proof()]
    if _outside(writer) or _problems(writer):
        lines.append(writer.closed("advice-quality"))
    return lines


def _note(writer: Writer, asked: Route, question: str) -> list[Line]:
    return [
        *said_of("note"),
        *writer.verdict(short=True),
        *writer.score(short=True),
        *writer.not_proof(),
        # Of a face without a sign there is nothing to send in.
        *said_of("note-end")[-1 if writer.evidence.verdict is Verdict.NO_SIGN else 0 :],
    ]


def _method(writer: Writer, asked: Route, question: str) -> list[Line]:
    lines = said_of(asked.topic)
    if asked.topic == "map":
        return [*lines, *writer.map_limit(), *writer.regions(most=1)]
    if asked.topic in {"work", "repeat"}:
        lines += [*writer.score(), *writer.verdict(short=True)]
    return lines


def _video(writer: Writer, asked: Route, question: str) -> list[Line]:
    timed = [Line(f.text, (f.id,)) for f in writer.evidence.facts if f.id.startswith("T")]
    if not writer.first(FramesFact):
        return [*said_of("no-moments"), *writer.score(short=True)]
    return [*timed[:3], *writer.frames(), *said_of("moments"), *writer.verdict(short=True)]


def _summary(writer: Writer, asked: Route, question: str) -> list[Line]:
    return [
        *writer.verdict(),
        *writer.score(),
        *[*writer.causes()[:1], *writer.regions(most=1)[:1]][:1],
        *_problems(writer)[:1],
        *writer.not_proof(),
    ]


def _map_limit(writer: Writer) -> list[Line]:
    """What the map does not tell, where anything was told of it."""
    return writer.map_limit() if writer.tells_of_the_map else []


def _problems(writer: Writer) -> list[Line]:
    """The quality notes, where there are any."""
    return writer.quality() if writer.first(QualityFact) else []


def _outside(writer: Writer) -> bool:
    """Whether the face is unlike those the detector knows."""
    return any(not fact.inside for fact in writer.evidence.of(DomainFact))


def _in_turn(*ways: Callable[[Writer], list[Line]] | str) -> _Way:
    """What is told in every case: topics of ``about.yaml`` (``""``: the one asked for), facts."""

    def told(writer: Writer, asked: Route, question: str) -> list[Line]:
        each = (said_of(w or asked.topic) if isinstance(w, str) else w(writer) for w in ways)
        return [line for lines in each for line in lines]

    return told


def _short_verdict(writer: Writer) -> list[Line]:
    return writer.verdict(short=True)


def _short_score(writer: Writer) -> list[Line]:
    return writer.score(short=True)


_WITHOUT_FACTS = frozenset(
    {
        QuestionKind.COURTESY,
        QuestionKind.EMPTY,
        QuestionKind.LIMITS,
        QuestionKind.METHOD,
        QuestionKind.PERSON,
        QuestionKind.PRIVACY,
        QuestionKind.UNRELATED,
    }
)
#: The topic of a kind that is told beside another.
_USUAL: Mapping[QuestionKind, str] = {
    QuestionKind.ACTION: "next",
    QuestionKind.BEYOND: "rest",
    QuestionKind.COURTESY: "thanks",
    QuestionKind.LIMITS: "misses",
    QuestionKind.MANIPULATION: "kind",
    QuestionKind.METHOD: "work",
    QuestionKind.PERSON: "identity",
}
_ANSWERS: Mapping[QuestionKind, _Way] = {
    QuestionKind.VERDICT: _in_turn(
        Writer.verdict, _short_score, Writer.closeness, Writer.not_proof
    ),
    QuestionKind.WHY: _why,
    QuestionKind.WHERE: _where,
    QuestionKind.CUES: _cues,
    QuestionKind.HOW_SURE: _how_sure,
    QuestionKind.WHAT_IF: _what_if,
    QuestionKind.COULD_BE_WRONG: _could_be_wrong,
    QuestionKind.LIMITS: _limits,
    QuestionKind.MANIPULATION: _manipulation,
    QuestionKind.QUALITY: _quality,
    QuestionKind.PROVENANCE: _provenance,
    QuestionKind.ACTION: _action,
    QuestionKind.APPEAL: _in_turn(
        "appeal", _short_verdict, Writer.score, lambda w: _problems(w)[:1], Writer.not_proof
    ),
    QuestionKind.NOTE: _note,
    QuestionKind.METHOD: _method,
    QuestionKind.PRIVACY: _in_turn("privacy"),
    QuestionKind.VIDEO: _video,
    QuestionKind.SUMMARY: _summary,
    QuestionKind.COURTESY: _in_turn("", "offer"),
    QuestionKind.BEYOND: _in_turn("", _short_verdict, _short_score),
    QuestionKind.PERSON: _in_turn("", _short_verdict, "offer"),
    QuestionKind.PRESSURE: _in_turn(
        "pressure", lambda w: w.verdict(kept=True), _short_score, Writer.not_proof
    ),
    QuestionKind.UNRELATED: _in_turn("unrelated", "offer"),
    QuestionKind.EMPTY: _in_turn(lambda w: [w.closed("empty")], "offer"),
}
