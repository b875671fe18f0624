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

    That is what must never depend on one, what is said in a given manner or in another language,
    and what is about the tool: there is nothing in the case to choose from.
    """
    manner = way.one_sentence or way.simple or way.language != "en" or bool(way.others)
    return manner or way.kind not in ANSWERED_BY
