"""Grounding: generated text against the evidence, by sentences. Pure; no model takes part."""

from assistant.grounding.check import check, is_enough, shown_text
from assistant.grounding.sentences import Piece, split

__all__ = ["Piece", "check", "is_enough", "shown_text", "split"]
