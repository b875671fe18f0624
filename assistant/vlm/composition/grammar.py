"""Structured decoding: grammars (GBNF) of the true things that may be said about one case."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.types import Evidence
from assistant.vlm.composition.plan import Part, Plan, plan_for

__all__ = ["grammar_for", "grammar_of", "one_of"]


def grammar_for(evidence: Evidence, question: str = "") -> str:
    """The grammar of an explanation, or of the answer to ``question``, in llama.cpp's GBNF.

    Empty where the case has no facts: there is then nothing to hold a model to.
    """
    return grammar_of(plan_for(evidence, question))


def grammar_of(plan: Plan) -> str:
    """The grammar of all that a plan allows; empty for an empty one."""
    if not plan:
        return ""
    rules: list[str] = []

    def rule(part: Part) -> str:
        rules.append(f"part-{len(rules)} ::= {_any(part.said)}")
        return f"part-{len(rules) - 1}"

    root = ""
    for item in plan:
        space = '" " ' if root else ""
        if isinstance(item, tuple):
            one, two = map(rule, item)
            root += f' {space}({one} " " {two} | {two} " " {one})'
        elif item.optional:
            root += f" ({space}{rule(item)})?"
        else:
            root += f" {space}{rule(item)}"
    return "\n".join([f"root ::={root}", *rules]) + "\n"


def one_of(texts: Iterable[str]) -> str:
    """The grammar of a choice of texts."""
    return f"root ::= {_any(texts)}\n"


def _any(texts: Iterable[str]) -> str:
    return " | ".join(map(_quoted, texts))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
