"""Grounding: generated text against the evidence, by sentences. Pure; no model takes part."""

from assistant.grounding.blind import check_description
from assistant.grounding.check import check, is_enough, shown_text
from assistant.grounding.repair import mendable, rewritten, with_facts, with_verdict
from assistant.grounding.sentences import Piece, finished, split

__all__ = [
    "Piece",
    "check",
    "check_description",
    "finished",
    "is_enough",
    "mendable",
    "rewritten",
    "shown_text",
    "split",
    "with_facts",
    "with_verdict",
]
