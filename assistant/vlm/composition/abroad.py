"""Explanations and answers in German and Spanish: the facts' own sentences, chosen by the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.evidence import FramesFact, QualityFact, VerdictFact, told_opinions
from assistant.phrases import CLOSED_ABROAD, about
from assistant.routing import QuestionKind, Route, route
from assistant.translations import Language
from assistant.types import Evidence, Fact, FactKind
from assistant.vlm.composition.lines import Line, joined

__all__ = ["answer_abroad", "explain_abroad"]

_MOST_WORDS = 150
_K = FactKind
#: Facts that an answer tells, in their order.
_TOLD: Mapping[QuestionKind, tuple[FactKind, ...]] = {
    QuestionKind.PRESSURE: (_K.SCORE,),
    QuestionKind.WHAT_IF: (_K.FRAGILITY, _K.COUNTERFACTUAL),
    QuestionKind.COULD_BE_WRONG: (_K.LIMIT, _K.QUALITY, _K.DOMAIN, _K.FRAGILITY),
    QuestionKind.HOW_SURE: (_K.SCORE, _K.DOMAIN),
    QuestionKind.ACTION: (_K.SCORE,),
    QuestionKind.APPEAL: (_K.SCORE, _K.LIMIT),
    QuestionKind.NOTE: (_K.SCORE,),
    QuestionKind.LIMITS: (_K.DOMAIN, _K.LIMIT),
    QuestionKind.CUES: (_K.COUNTERFACTUAL, _K.REGION),
    QuestionKind.MANIPULATION: (_K.PROVENANCE,),
    QuestionKind.QUALITY: (_K.QUALITY,),
    QuestionKind.PROVENANCE: (_K.PROVENANCE,),
    QuestionKind.WHERE: (_K.REGION, _K.COUNTERFACTUAL),
    QuestionKind.WHY: (_K.SCORE, _K.COUNTERFACTUAL, _K.REGION),
    QuestionKind.VERDICT: (_K.SCORE, _K.LIMIT),
    QuestionKind.SUMMARY: (_K.SCORE, _K.REGION, _K.LIMIT),
    QuestionKind.BEYOND: (_K.SCORE,),
    QuestionKind.METHOD: (_K.SCORE,),
}
#: What is said of the tool before them, where the route's topic does not say it.
_SAID: Mapping[QuestionKind, str] = {
    QuestionKind.PRESSURE: "pressure",
    QuestionKind.CUES: "cues",
    QuestionKind.APPEAL: "appeal",
    QuestionKind.NOTE: "note",
    QuestionKind.PRIVACY: "privacy",
    QuestionKind.UNRELATED: "unrelated",
    QuestionKind.EMPTY: "offer",
}
_BY_TOPIC = frozenset(
    {
        QuestionKind.LIMITS,
        QuestionKind.MANIPULATION,
        QuestionKind.METHOD,
        QuestionKind.COURTESY,
        QuestionKind.BEYOND,
        QuestionKind.PERSON,
    }
)
_NO_VERDICT = frozenset(
    {
        QuestionKind.QUALITY,
        QuestionKind.COURTESY,
        QuestionKind.UNRELATED,
        QuestionKind.EMPTY,
        QuestionKind.PRIVACY,
        QuestionKind.LIMITS,
        QuestionKind.METHOD,
        QuestionKind.NOTE,
    }
)


def explain_abroad(evidence: Evidence, language: Language) -> str:
    """The case in German or Spanish, in the order of its facts, in at most about 150 words."""
    lines: list[Line] = []
    words = 0
    ends = _lines(evidence.of_kind(FactKind.LIMIT), language)
    rest = [f for f in evidence.facts if f.kind is not FactKind.LIMIT]
    for fact in rest:
        told = _lines([fact], language)
        size = sum(len(line.text.split()) for line in told)
        if words + size <= _MOST_WORDS:
            lines += told
            words += size
    if not lines:
        return CLOSED_ABROAD[language]["nothing"]
    return joined([*lines, *ends])


def answer_abroad(
    evidence: Evidence, question: str, language: Language, asked: Route | None = None
) -> str:
    """An answer in the language of the question, in one sentence where one is asked for."""
    asked = asked or route(question)
    if told := told_opinions(evidence, question):
        return joined(_lines([*told[:3], *evidence.of(VerdictFact)], language))
    said = [Line(text) for topic in _topics(evidence, asked) for text in about(topic, language)]
    facts = _facts(evidence, asked.kind, language)
    for kind in asked.others:
        facts += _facts(evidence, kind, language)[:2]
    if asked.kind not in _NO_VERDICT:
        facts += _lines(evidence.of(VerdictFact), language)[:1]
    if asked.kind is QuestionKind.NOTE:
        facts += [Line(text) for text in about("note-end", language)]
    lines = list(dict.fromkeys([*said[:2], *facts]))
    if not lines:
        return CLOSED_ABROAD[language]["nothing" if not evidence.facts else "scope"]
    if asked.one_sentence and asked.kind is not QuestionKind.NOTE:
        return str(lines[0])
    if asked.simple and asked.kind is not QuestionKind.NOTE:
        start, end = (
            [Line(t) for t in about(topic, language)] for topic in ("simple", "simple-end")
        )
        return joined([*start, *lines[:2], *end])
    return joined(lines[:7])


def _topics(evidence: Evidence, asked: Route) -> list[str]:
    if asked.kind in _BY_TOPIC or asked.kind is QuestionKind.ACTION:
        found = [asked.topic]
    elif asked.kind is QuestionKind.PROVENANCE:
        found = ["maker"] if asked.topic == "maker" else []
    elif asked.kind is QuestionKind.VIDEO:
        found = ["moments" if evidence.first(FramesFact) else "no-moments"]
    elif asked.kind is QuestionKind.QUALITY:
        found = ["better"] if evidence.first(QualityFact) else []
    elif asked.kind is QuestionKind.WHAT_IF:
        found = [] if evidence.of_kind(FactKind.FRAGILITY) else ["not-tried"]
    else:
        found = [_SAID[asked.kind]] if asked.kind in _SAID else []
    offers = asked.kind in {QuestionKind.COURTESY, QuestionKind.UNRELATED, QuestionKind.PERSON}
    return [*found, "offer"] if offers else found


def _facts(evidence: Evidence, kind: QuestionKind, language: Language) -> list[Line]:
    lines: list[Line] = []
    for wanted in _TOLD.get(kind, ()):
        facts = evidence.of_kind(wanted)
        if wanted is FactKind.SCORE and kind is not QuestionKind.HOW_SURE:
            lines += [line for fact in facts for line in _lines([fact], language)[:1]]
        else:
            lines += _lines(facts, language)[:3]
    return lines


def _lines(facts: Sequence[Fact], language: Language) -> list[Line]:
    return [Line(text, (fact.id,)) for fact in facts for text in fact.abroad(language)]
