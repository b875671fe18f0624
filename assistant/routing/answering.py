"""Which facts answer a kind of question, and which answers are written without a model."""

from __future__ import annotations

from assistant.routing.kinds import QuestionKind, Route
from assistant.types import FactKind

__all__ = ["ANSWERED_BY", "is_fixed"]

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
