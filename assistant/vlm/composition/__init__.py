"""Composes true text from evidence: varied, but every sentence says what a fact says, and cites it."""

from assistant.vlm.composition.answers import compose_answer, questions_for
from assistant.vlm.composition.explain import compose_explanation
from assistant.vlm.composition.lines import Line, Writer, joined

__all__ = ["Line", "Writer", "compose_answer", "compose_explanation", "joined", "questions_for"]
