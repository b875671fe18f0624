"""Facts: numbered, exact statements about one face, and the evidence that they make up.

What kinds of facts there are, see :mod:`assistant.evidence`: each is a class of its own there.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from assistant.types.measured import Verdict
from assistant.types.said import Clause

__all__ = ["Evidence", "Fact", "FactKind", "Wordings"]

#: topic -> patterns with the fields of a fact.
Wordings = Mapping[str, Sequence[str]]


class FactKind(StrEnum):
    """Kinds of facts; the letter begins the fact's id."""

    SCORE = "S"
    REGION = "R"
    QUALITY = "Q"
    PROVENANCE = "P"
    COUNTERFACTUAL = "C"
    FRAGILITY = "F"
    DOMAIN = "D"
    CUE = "V"
    TIME = "T"
    OPINION = "O"
    LIMIT = "L"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A measured statement that can be cited by its id (``S1``, ``R2``).

    A kind of fact is a subclass: its fields are what was measured, and its methods are all that may
    be said of it.
    """

    kind: ClassVar[FactKind]
    #: Other ways to say it in English, beside ``text``.
    wordings: ClassVar[Wordings] = {}
    #: The scope of clauses that speak of this kind, and the words that show it.
    cue: ClassVar[tuple[str, re.Pattern[str]] | None] = None

    id: str

    def __post_init__(self) -> None:
        if not (self.id[:1] == self.kind.value and self.id[1:].isdigit()):
            raise ValueError(f"expected an id such as {self.kind.value}1, got {self.id!r}")

    @property
    def text(self) -> str:
        """Exact English sentences on one line; its first topic's, unless overridden."""
        return self.said(self.topics()[0])[0]

    def values(self) -> dict[str, Any]:
        """What it says, for JSON: its fields, unless overridden; shares and changes in [0, 1]."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)[1:]}
        return {n: v.value if isinstance(v, StrEnum) else v for n, v in own.items()}

    def abroad(self, language: str) -> tuple[str, ...]:
        """The same in German (``de``) or Spanish (``es``), by sentences; empty if untranslated."""
        return ()

    def topics(self) -> tuple[str, ...]:
        """The topics of ``wordings`` that are true of it."""
        return tuple(self.wordings)

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """Check what a clause claims of facts of this kind, there or not, and take it out of it.

        Of a kind that has nothing but its own sentences, nothing is claimed in other words.
        """

    def fields(self) -> dict[str, str]:
        """What its patterns are filled with."""
        return {}

    def said(self, topic: str, **fields: str) -> tuple[str, ...]:
        """Its sentences of one topic; ``fields`` go before its own."""
        filled = {**self.fields(), **fields}
        return tuple(pattern.format(**filled) for pattern in self.wordings[topic])

    def all_said(self) -> tuple[str, ...]:
        """Every true English sentence that it has, ``text`` first."""
        return (self.text, *(said for topic in self.topics() for said in self.said(topic)))


F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of one face, as numbered facts: the only account a prompt may read."""

    media_id: str
    face_index: int
    verdict: Verdict
    probability: float
    interval: tuple[float, float]
    facts: tuple[Fact, ...]

    def __post_init__(self) -> None:
        ids = [fact.id for fact in self.facts]
        if len(ids) != len(set(ids)):
            raise ValueError(f"fact ids must differ, got {ids}")

    def __getitem__(self, fact_id: str) -> Fact:
        for fact in self.facts:
            if fact.id == fact_id:
                return fact
        raise KeyError(fact_id)

    def of_kind(self, kind: FactKind) -> tuple[Fact, ...]:
        """The facts whose ids begin with one letter, in order."""
        return tuple(fact for fact in self.facts if fact.kind == kind)

    def of(self, made: type[F]) -> tuple[F, ...]:
        """The facts of one class, in order."""
        return tuple(fact for fact in self.facts if isinstance(fact, made))

    def first(self, made: type[F]) -> F | None:
        """The first fact of one class, or None."""
        return next(iter(self.of(made)), None)

    def to_prompt(self) -> str:
        """The facts as a prompt reads them: one ``[S1] text`` a line."""
        return "\n".join(f"[{fact.id}] {fact.text}" for fact in self.facts)
