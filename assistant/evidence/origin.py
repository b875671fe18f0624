"""P: what a file says of its own origin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.languages import sentences
from assistant.evidence.names import quotable_name
from assistant.evidence.reading import negated
from assistant.types import Clause, Evidence, Fact, FactKind, ProvenanceNote, Wordings

__all__ = ["OriginFact", "origin_facts"]

_ENGLISH, _ABROAD = sentences("origin")

_MOST_NOTES = 4
# How people say each source, and a record of any.
_SAID = {
    "c2pa": re.compile(r"\b(?:c2pa|content credentials?|signature|signed)\b"),
    "editor": re.compile(
        r"\b(?:editing (?:program|software|tool)|(?:photo )?editor|edited (?:with|in)|photoshop)\b"
    ),
    "generator": re.compile(r"\b(?:(?:image|picture|ai) generators?|generator|generated in)\b"),
    "camera": re.compile(r"\bcamera(?! angle)\b"),
}
# What may be said of a signature; "valid" and "not broken" say the same.
_SIGNATURE = re.compile(r"\b(?:signature|signed)\b")
_FITS = re.compile(r"\b(?:valid|intact|verified|fits?|matche[sd]|holds|checks out|correct)\b")
_FAILS = re.compile(r"\b(?:invalid|broken|fail(?:s|ed)|wrong)\b")
_RECORD = re.compile(
    r"\brecords? of (?:its|the file's|the) (?:origin|source)\b|"
    r"\b(?:metadata|meta data|exif(?: data)?|provenance(?: (?:record|data))?)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginFact(Fact):
    """One record: ``source`` is ``c2pa``, ``editor``, ``generator``, ``camera``, or ``none``.

    ``name``: the name in it that may be quoted, or empty. ``signature`` of a ``c2pa`` record is
    ``valid``, ``broken`` or ``unread``.
    """

    kind: ClassVar[FactKind] = FactKind.PROVENANCE
    wordings: ClassVar[Wordings] = _ENGLISH["origin"]

    source: str
    name: str = ""
    signature: str = "unread"

    @property
    def _key(self) -> str:
        told = self.source == "c2pa" and self.signature != "unread"
        return f"{self.source}-{self.signature}" if told else self.source

    @property
    def text(self) -> str:
        return self.said(f"origin-{self._key}")[0]

    def values(self) -> dict[str, Any]:
        signature = {"signature": self.signature} if self.source == "c2pa" else {}
        return {"kind": self.source, "value": self.name, **signature}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language][self._key].format(**self.fields()),)

    def topics(self) -> tuple[str, ...]:
        return (f"origin-{self._key}",)

    def fields(self) -> dict[str, str]:
        return {"quoted": f' ("{self.name}")' if self.name else ""}

    @classmethod
    def judge(cls, clause: Clause, evidence: Evidence) -> None:
        """What the file is said to say of its own origin."""
        known = {fact.source: fact for fact in reversed(evidence.of(cls))}
        said = [source for source, pattern in _SAID.items() if pattern.search(clause.text)]
        record = _RECORD.search(clause.text)
        if not said and not record:
            return
        denied = negated(clause)
        if "c2pa" in known and _SIGNATURE.search(clause.text):
            fails = clause.take(_FAILS)
            if fails or clause.take(_FITS):
                clause.take(*_SAID.values(), _RECORD)
                known["c2pa"]._judge_signature(clause, denied if fails else not denied)
                return
        clause.take(*_SAID.values(), _RECORD)
        if not known:
            clause.unfounded("no fact speaks of the file's origin")
            return
        first = next(iter(known.values()))
        for source in said:
            fact = known.get(source)
            no = "" if fact else "not "
            clause.judge((fact is None) is denied, f"the file does {no}say that", fact or first)
        if not said:
            good = ("none" in known) is denied
            clause.judge(good, "the record of the file's origin says otherwise", first)

    def _judge_signature(self, clause: Clause, fits: bool) -> None:
        if self.signature == "unread":
            clause.unfounded("the signature could not be checked")
        else:
            good = fits == (self.signature == "valid")
            clause.judge(good, f"the signature is {self.signature}", self)


def origin_facts(notes: Sequence[ProvenanceNote]) -> list[Fact]:
    """At most four records as facts, or that there is none."""
    kept = [note for note in notes if note.kind != "none"][:_MOST_NOTES]
    if not kept:
        return [OriginFact(id="P1", source="none")]
    return [
        OriginFact(
            id=f"P{i}",
            source=note.kind,
            name=quotable_name(note.value),
            signature=note.signature,
        )
        for i, note in enumerate(kept, 1)
    ]
