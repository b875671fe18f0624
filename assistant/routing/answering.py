"""Which facts answer a kind of question, and which answers are written without a model."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.routing.kinds import QuestionKind, Route
from assistant.types import Evidence, FactKind, Sentence, SentenceStatus

__all__ = ["ANSWERED_BY", "answers", "is_fixed"]

#: Facts an answer must rest on to be an answer to its question.
ANSWERED_BY: dict[QuestionKind, frozenset[FactKind]] = {
    QuestionKind.VERDICT: frozenset({FactKind.SCORE}),
    QuestionKind.WHY: frozenset({FactKind.SCORE, FactKind.REGION, FactKind.COUNTERFACTUAL}),
    QuestionKind.WHERE: frozenset({FactKind.REGION, FactKind.COUNTERFACTUAL}),
    QuestionKind.CUES: frozenset({FactKind.CUE}),
    QuestionKind.SUMMARY: frozenset({FactKind.SCORE}),
    QuestionKind.HOW_SURE: frozenset({FactKind.SCORE, FactKind.FRAGILITY, FactKind.DOMAIN}),
    QuestionKind.WHAT_IF: frozenset({FactKind.FRAGILITY, FactKind.COUNTERFACTUAL}),
    QuestionKind.COULD_BE_WRONG: frozenset(
        {
            FactKind.LIMIT,
            FactKind.QUALITY,
            FactKind.DOMAIN,
            FactKind.FRAGILITY,
        }
    ),
    QuestionKind.QUALITY: frozenset({FactKind.QUALITY}),
    QuestionKind.PROVENANCE: frozenset({FactKind.PROVENANCE}),
}


def is_fixed(way: Route) -> bool:
    """Whether the answer is written without the model.

    That is what must never depend on one, what is said in another language, what is not clear, and
    what is about the tool: of that the case says nothing.
    """
    return way.language != "en" or bool(way.others) or way.kind not in ANSWERED_BY


def answers(
    sentences: Sequence[Sentence], evidence: Evidence, by: frozenset[FactKind] | None
) -> bool:
    """Whether a supported sentence rests on a fact that the question asks for (if there is one)."""
    if by is None or not any(fact.kind in by for fact in evidence.facts):
        return True
    cited = {
        c for s in sentences if s.status is SentenceStatus.SUPPORTED or s.rewritten for c in s.cites
    }
    return any(fact.kind in by for fact in evidence.facts if fact.id in cited)
