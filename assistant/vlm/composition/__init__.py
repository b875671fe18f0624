"""Composes true text from evidence: varied, but each sentence says what the fact it cites says."""

from assistant.vlm.composition.answers import compose_answer
from assistant.vlm.composition.chosen import must_be_told, to_the_point
from assistant.vlm.composition.explain import compose_explanation
from assistant.vlm.composition.lines import Line, Writer, joined

__all__ = [
    "Line",
    "Writer",
    "compose_answer",
    "compose_explanation",
    "joined",
    "must_be_told",
    "to_the_point",
]
