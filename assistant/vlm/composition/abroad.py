"""Explanations and answers in German and Spanish: the facts' own sentences, chosen by the question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.evidence import VerdictFact
from assistant.questions import QuestionKind
from assistant.translations import CLOSED_ABROAD, Language
from assistant.types import Evidence, Fact, FactKind
from assistant.vlm.composition.lines import Line, joined

__all__ = ["answer_abroad", "explain_abroad", "kind_abroad"]

_MOST_WORDS = 150

# In this order, as in assistant/questions.py.
_RULES: Mapping[Language, tuple[tuple[QuestionKind, str], ...]] = {
    "de": (
        (QuestionKind.PRESSURE, r"ignorier|vergiss|sag\w* (?:einfach|doch|mir)|gib zu|ändere|behaupte"),
        (QuestionKind.IDENTITY, r"\bwer\b|\bwessen|wie alt|alter\b|\bname|heißt|herkunft der person|"
         r"mann oder|frau\b|ethni|hautfarbe"),
        (QuestionKind.WHAT_IF, r"was wäre|was passiert|\bwenn\b|komprimier|ohne (?:den|die|das)"),
        (QuestionKind.COULD_BE_WRONG, r"falsch liegen|irren|irrtum|fehler|grenzen|fehlalarm"),
        (QuestionKind.HOW_SURE, r"wie sicher|sicher\b|zuverlässig|wahrscheinlich|vertrauen|intervall"),
        (QuestionKind.ACTION, r"was (?:kann|soll|muss)|soll(?:te)? ich|tun\b|melden|löschen"),
        (QuestionKind.QUALITY, r"qualität|unscharf|auflösung|scharf|dunkel"),
        (QuestionKind.PROVENANCE, r"metadaten|kamera|photoshop|woher|quelle|c2pa|exif"),
        (QuestionKind.WHERE, r"\bwo\b|welche\w* (?:stelle|teil|region)|karte|auge|mund|nase|kiefer|stirn"),
        (QuestionKind.WHY, r"warum|wieso|weshalb|grund|begründ|erklär"),
        (QuestionKind.VERDICT, r"echt|falsch|fake|manipulier|gefälscht|urteil"),
    ),
    "es": (
        (QuestionKind.PRESSURE, r"ignora|olvida|di (?:que|simplemente)|dime que|admite|cambia"),
        (QuestionKind.IDENTITY, r"quién|quien|edad|años|nombre|llama|hombre o|mujer|etnia"),
        (QuestionKind.WHAT_IF, r"qué pasa|y si\b|qué pasaría|comprim|\bsin (?:el|la)"),
        (QuestionKind.COULD_BE_WRONG, r"equivoc|error|límites|falso positivo|fallar"),
        (QuestionKind.HOW_SURE, r"segur|fiable|probab|confia|intervalo"),
        (QuestionKind.ACTION, r"qué (?:puedo|debo|hago)|debo|denunciar|borrar"),
        (QuestionKind.QUALITY, r"calidad|borros|resolución|oscur"),
        (QuestionKind.PROVENANCE, r"metadatos|cámara|photoshop|de dónde|fuente|c2pa|exif"),
        (QuestionKind.WHERE, r"dónde|qué (?:parte|zona|región)|mapa|ojo|boca|nariz|mandíbula|frente"),
        (QuestionKind.WHY, r"por qué|porqué|razón|motivo|explica"),
        (QuestionKind.VERDICT, r"real|fals|fake|manipulad|auténtic|veredicto"),
    ),
}  # fmt: skip
_K = FactKind
_TOLD: Mapping[QuestionKind, tuple[FactKind, ...]] = {
    QuestionKind.PRESSURE: (_K.SCORE,),
    QuestionKind.IDENTITY: (),
    QuestionKind.WHAT_IF: (_K.FRAGILITY, _K.COUNTERFACTUAL),
    QuestionKind.COULD_BE_WRONG: (_K.LIMIT, _K.QUALITY, _K.DOMAIN, _K.FRAGILITY),
    QuestionKind.HOW_SURE: (_K.SCORE, _K.DOMAIN),
    QuestionKind.ACTION: (_K.SCORE,),
    QuestionKind.QUALITY: (_K.QUALITY,),
    QuestionKind.PROVENANCE: (_K.PROVENANCE,),
    QuestionKind.WHERE: (_K.REGION, _K.COUNTERFACTUAL),
    QuestionKind.WHY: (_K.SCORE, _K.REGION, _K.COUNTERFACTUAL),
    QuestionKind.VERDICT: (_K.SCORE,),
    QuestionKind.OUT_OF_SCOPE: (),
}
_SAID: Mapping[QuestionKind, tuple[str, ...]] = {
    QuestionKind.PRESSURE: ("pressure",),
    QuestionKind.IDENTITY: ("identity",),
    QuestionKind.OUT_OF_SCOPE: ("scope",),
    QuestionKind.ACTION: ("advice", "advice-source"),
}


def kind_abroad(question: str, language: Language) -> QuestionKind:
    """What a German or Spanish question asks for."""
    low = question.lower()
    for kind, pattern in _RULES[language]:
        if re.search(pattern, low):
            return kind
    return QuestionKind.OUT_OF_SCOPE


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


def answer_abroad(evidence: Evidence, question: str, language: Language) -> str:
    """An answer in the language of the question; always with the verdict, never with who it is."""
    kind = kind_abroad(question, language)
    lines = [Line(CLOSED_ABROAD[language][topic]) for topic in _SAID.get(kind, ())]
    for wanted in _TOLD[kind]:
        facts = evidence.of_kind(wanted)
        if wanted is FactKind.SCORE and kind is not QuestionKind.HOW_SURE:
            lines += [line for fact in facts for line in _lines([fact], language)[:1]]
        else:
            lines += _lines(facts, language)[:3]
    verdict = evidence.of(VerdictFact)
    if kind is not QuestionKind.QUALITY:
        first = _lines(verdict, language)[:1]
        lines += [line for line in first if line not in lines]
    if not lines:
        return CLOSED_ABROAD[language]["nothing" if not evidence.facts else "scope"]
    return joined(lines[:7])


def _lines(facts: Sequence[Fact], language: Language) -> list[Line]:
    return [Line(text, (fact.id,)) for fact in facts for text in fact.abroad(language)]
