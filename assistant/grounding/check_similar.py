"""Checks of what a clause says of the examples that are nearest to the face."""

from __future__ import annotations

import re

from assistant.grounding.case import Case
from assistant.grounding.clauses import Clause

__all__ = ["EXAMPLES", "example_words"]

#: What a clause on examples speaks of.
EXAMPLES = re.compile(r"\bexamples?\b|\bsimilar (?:cases|faces)\b")
_COUNT = r"(?P<n>\d+|none|no|one|two|three)\b(?: of (?:them|these))?"
_NUMBERS = {"none": 0, "no": 0, "one": 1, "two": 2, "three": 3}
#: What is said -> the value of the fact that it must be.
_CLAIMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("people", re.compile(r"\b(?:of|from) (?P<n>\d+) (?:people|persons)\b")),
    (
        "examples",
        re.compile(r"\b(?:holds|has|of the)(?: only)? (?P<n>\d+) examples\b(?: in the index)?"),
    ),
    (
        "near",
        re.compile(rf"\b(?:of )?the (?:{_COUNT} )?nearest examples?\b(?: in the index)?"),
    ),
    ("manipulated", re.compile(rf"\b{_COUNT} (?:is|are|was|were) manipulated\b")),
    ("right", re.compile(rf"\b(?:the detector |it )?(?:called|calls)\s+{_COUNT}\s+right\b")),
    ("wrong", re.compile(rf"\b(?:(?:the detector |it )?(?:called|calls)\s+)?{_COUNT}\s+wrong\b")),
    ("undecided", re.compile(rf"\b(?:the detector |it )?gave no verdict on {_COUNT}")),
)
_LITTLE = re.compile(r"\b(?:so )?(?:this|that|which) says little\b")
_NONE_NEAR = re.compile(
    r"\bnone\b(?: of the examples)?(?: in the index)? (?:is|are) (?:near|like) this face\b|"
    r"\b(?:so )?nothing can be said of similar (?:cases|faces)\b"
)


def example_words(clause: Clause, case: Case) -> None:
    """How the detector behaved on the nearest examples of the index."""
    if EXAMPLES.search(clause.text):
        clause.kind = "examples"
    if clause.kind != "examples":
        return
    fact = case.examples
    if fact is None:
        clause.unfounded("no fact tells of similar cases")
        return
    near = int(fact.values["near"])
    actual = {
        **{name: int(fact.values[name]) for name in ("near", "manipulated", "right", "wrong")},
        "examples": int(fact.values["examples"]),
        "people": int(fact.values["people"]),
        "undecided": near - int(fact.values["right"]) - int(fact.values["wrong"]),
    }
    for name, pattern in _CLAIMS:
        for match in clause.take(pattern):
            said = match["n"]
            if said is None or (_NUMBERS[said] if said in _NUMBERS else int(said)) == actual[name]:
                clause.ok(fact)
            else:
                clause.wrong("that is not how many examples there are", fact)
    for pattern, holds in ((_LITTLE, bool(fact.values["few"])), (_NONE_NEAR, near == 0)):
        if clause.take(pattern):
            if holds:
                clause.ok(fact)
            else:
                clause.wrong("the index says otherwise", fact)
