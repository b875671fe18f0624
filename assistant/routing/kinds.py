"""The kinds of questions, what they are about in particular, and how an answer is asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ELSEWHERE", "HARD_WORDS", "REFUSED", "QuestionKind", "Route"]


class QuestionKind(StrEnum):
    """What a question asks for."""

    VERDICT = "verdict"
    WHY = "why"
    WHERE = "where"
    CUES = "cues"  # what can be seen
    HOW_SURE = "how sure"
    WHAT_IF = "what if"  # recompressed, resized, without a region
    COULD_BE_WRONG = "could be wrong"
    LIMITS = "limits"  # of the detector: what it misses, its data, its accuracy
    MANIPULATION = "kind"  # swapped or generated, and with which generator
    QUALITY = "quality"
    PROVENANCE = "provenance"
    ACTION = "action"
    APPEAL = "appeal"
    NOTE = "note"  # draft a note to the person whose post was flagged
    METHOD = "method"
    PRIVACY = "privacy"
    VIDEO = "video"
    SUMMARY = "summary"
    COURTESY = "courtesy"
    BEYOND = "beyond"  # sound, caption, background, other faces: not this face
    PERSON = "person"  # who it is, age, origin, gender, looks, mood
    PRESSURE = "pressure"  # orders to say something else than was measured
    UNRELATED = "unrelated"
    EMPTY = "empty"


#: Words that an answer in simple words does without.
HARD_WORDS = re.compile(
    r"\b(?:calibrat\w+|threshold|interval|statistic\w*|neutralis\w+|inpaint\w*)\b", re.IGNORECASE
)

#: Never answered, whatever the evidence.
REFUSED = frozenset({QuestionKind.PERSON, QuestionKind.PRESSURE})

#: Not about a case: no fact can answer.
ELSEWHERE = frozenset({QuestionKind.COURTESY, QuestionKind.UNRELATED, QuestionKind.EMPTY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a question goes.

    Attributes:
        kind: what it asks for.
        topic: what in particular, such as ``data`` of ``LIMITS``; empty where a kind has no topics.
        language: ``en``, ``de``, ``es``, or empty for any other.
        confidence: probability of the kind, 0 to 1.
        one_sentence: an answer of one sentence is asked for.
        simple: simple words are asked for.
        others: the next likely kinds, for a question that is not clear.
    """

    kind: QuestionKind
    topic: str = ""
    language: str = "en"
    confidence: float = 1.0
    one_sentence: bool = False
    simple: bool = False
    others: Sequence[QuestionKind] = ()
