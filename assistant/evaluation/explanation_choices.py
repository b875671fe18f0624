"""How much of an explanation the language model decided itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assistant.evaluation.readability import word_count
from assistant.types import Explanation, FaceAnalysis, SentenceStatus
from assistant.vlm.composition.plan import Plan, heads, options, plan_for

__all__ = ["Decided", "decided", "decided_by_plan"]


@dataclass(frozen=True, slots=True)
class Decided:
    """What the model decided of one text.

    Attributes:
        bits: log2 of the ways that its plan left open, summed over the choices that it made; None
            where it wrote freely.
        own_words: share of the shown words that it chose, in [0, 1].
    """

    bits: float | None
    own_words: float


def decided(result: FaceAnalysis, explanation: Explanation, decoding: str) -> Decided | None:
    """What a narrator decided of its explanation.

    Args:
        result: the case.
        explanation: as told to the user.
        decoding: ``fixed`` (the template: nothing), ``structured`` (held to a plan) or ``free``.

    Returns:
        None where a text held to a plan is not that of the case's plan: it was told another case.
    """
    if decoding == "fixed" or explanation.fell_back:
        return Decided(0.0, 0.0)
    words = word_count(explanation.text)
    if decoding == "structured":
        found = decided_by_plan(plan_for(result.evidence), explanation.raw_text)
        return Decided(found[0], found[1] / max(1, words)) if found else None
    own = [
        s for s in explanation.sentences if s.status is SentenceStatus.SUPPORTED and not s.rewritten
    ]
    return Decided(None, min(1.0, sum(word_count(s.text) for s in own) / max(1, words)))


def decided_by_plan(plan: Plan, text: str) -> tuple[float, int] | None:
    """Bits and words that were chosen to come by ``text``; None where the plan does not allow it.

    A choice among n sentences (the end of the text is one more) counts log2(n) bits, and the words
    that tell the chosen one from the others, which is what the model writes.
    """
    bits, words, rest = 0.0, 0, text.strip()
    while True:
        following, may_end = options(plan)
        ways = len(following) + may_end
        if ways > 1:
            bits += math.log2(ways)
        if not following or (may_end and not rest):
            return None if rest else (bits, words)
        said = max((t for t in following if rest.startswith(t)), key=len, default=None)
        if said is None:
            return None
        if ways > 1:
            beginnings = {whole: head for head, whole in (heads([*following]) or {}).items()}
            words += word_count(beginnings.get(said, said))
        rest, plan = rest[len(said) :].lstrip(), following[said]
