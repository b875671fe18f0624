"""Ways people ask, by kind of question; none holds an answer. For training and testing."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.phrases import Variant
from assistant.resources import table
from assistant.routing import QuestionKind

__all__ = ["QUESTIONS", "questions_for"]

QUESTIONS: Mapping[QuestionKind, Mapping[Variant, tuple[str, ...]]] = {
    QuestionKind(kind): {variant: tuple(asked) for variant, asked in ways.items()}
    for kind, ways in table("vlm/composition/questions.yaml").items()
}


def questions_for(kind: QuestionKind, variant: Variant = "train") -> tuple[str, ...]:
    """Ways to ask for one kind of answer, all routed to that kind."""
    return QUESTIONS[kind][variant]
