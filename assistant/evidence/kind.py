"""S: swapped, or made from nothing? What the detector says of the kind, and how often it is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.languages import sentences
from assistant.evidence.reading import clear
from assistant.numbers import percent
from assistant.types import Clause, Evidence, Fact, FactKind, Told, TrackRecord, Verdict, Wordings

__all__ = ["LEAST_RIGHT", "KindFact", "kind_facts", "named_kind"]

_ENGLISH, _ABROAD = sentences("kind")

#: Answers that are right less often than this on sources left out are not told.
LEAST_RIGHT = 0.65
#: By how much one head leads the other (in logits) where an uncertain face leans clearly.
_CLEAR = 1.0
_KINDS = ("laid-in", "made")
_WORDS = {
    "laid-in": "something was laid into a genuine picture, as in a face swap",
    "made": "the whole picture was made by a generator or decoder",
}
_SAYS = {
    "laid-in": re.compile(r"\b(?:face[- ]swap\w*|swapped|laid into|blended into|pasted)\b"),
    "made": re.compile(r"\b(?:generator|decoder|from nothing|generated|synthesi[sz]ed)\b"),
}


def named_kind(heads: tuple[float, float] | None, verdict: Verdict) -> str | None:
    """``laid-in`` or ``made``: the head that leads, of a face that is flagged or clearly leans.

    Args:
        heads: logits of the detector's two questions, in that order; None where it has none.
        verdict: of the face.
    """
    if heads is None or verdict is Verdict.NO_SIGN:
        return None
    lead = heads[0] - heads[1]
    if verdict is Verdict.UNCERTAIN and abs(lead) < _CLEAR:
        return None
    return _KINDS[0] if lead >= 0 else _KINDS[1]


def kind_facts(
    heads: tuple[float, float] | None, verdict: Verdict, record: TrackRecord | None
) -> list[Fact]:
    """The answer as fact S4, where the detector names a kind and its record says how often rightly."""
    kind = named_kind(heads, verdict)
    told = next((t for t in record.told if t.kind == kind), None) if record else None
    return [] if told is None else [KindFact(id="S4", told=told)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFact(Fact):
    """Which kind of manipulation it is most like; an answer hardly better than chance is withheld."""

    kind: ClassVar[FactKind] = FactKind.SCORE
    wordings: ClassVar[Wordings] = _ENGLISH["kind"]

    told: Told

    @property
    def worth_telling(self) -> bool:
        """Whether the answer is right often enough, and surely more often than a guess."""
        return self.told.right >= LEAST_RIGHT and self.told.low > 0.5

    def values(self) -> dict[str, Any]:
        told = self.told
        return {
            "kind": told.kind if self.worth_telling else None,
            "right": told.right,
            "interval": [told.low, told.high],
            "n": told.pictures,
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        if not self.worth_telling:
            return ()
        right = percent(self.told.right)
        return (_ABROAD[language][self.told.kind].format(right=right),)

    def topics(self) -> tuple[str, ...]:
        return ("kind",) if self.worth_telling else ("kind-withheld",)

    def fields(self) -> dict[str, str]:
        return {"what": _WORDS[self.told.kind], "right": percent(self.told.right)}

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """That it was swapped, or generated; what is not told is claimed by no fact."""
        said = {kind for kind, words in _SAYS.items() if words.search(clause.text)}
        fact = evidence.first(cls)
        if fact is None or len(said) != 1 or not clause.text.strip():
            return
        if fact.worth_telling:
            clause.judge(fact.told.kind in said, f"it is more like {fact.told.kind}", fact)
        else:
            clause.unfounded("which kind it is was not told reliably enough")
        clear(clause)
