"""P: what a file says of its own origin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.names import quotable_name
from assistant.evidence.reading import negated
from assistant.types import Clause, Evidence, Fact, FactKind, ProvenanceNote, Wordings

__all__ = ["OriginFact", "origin_facts"]

_MOST_NOTES = 4
_WORDINGS: Wordings = {
    "origin-none": {
        "train": (
            "The file carries no record of its origin; absence proves nothing.",
            "The file has no record of its origin, which proves nothing.",
        ),
        "heldout": ("There is no record of the file's origin, which proves nothing.",),
    },
    "origin-c2pa": {
        "train": (
            "The file carries a C2PA record of its origin{quoted}; its signature was not checked here.",
            "There is a C2PA record in the file{quoted}, but its signature was not checked here.",
        ),
        "heldout": ("The file has a C2PA record{quoted}; its signature was not checked here.",),
    },
    "origin-editor": {
        "train": (
            "The file names an editing program{quoted}; such programs also do harmless work.",
            "An editing program is named in the file{quoted}, but such programs also do harmless work.",
        ),
        "heldout": ("The file names an editing program{quoted}, which can be harmless.",),
    },
    "origin-generator": {
        "train": (
            "The file names an image generator{quoted}; that is what the file says of itself, not a "
            "measurement.",
            "The file says of itself that it comes from an image generator{quoted}; that is not a "
            "measurement.",
        ),
        "heldout": ("The file names an image generator{quoted}, which is not a measurement.",),
    },
    "origin-camera": {
        "train": (
            "The file names a camera{quoted}; such a name can be copied into any file.",
            "A camera is named in the file{quoted}, but such a name can be copied.",
        ),
        "heldout": ("The file names a camera{quoted}, but such a name can be copied.",),
    },
}
# How people say each source, and a record of any.
_SAID = {
    "c2pa": re.compile(r"\b(?:c2pa|content credentials?|signature|signed)\b"),
    "editor": re.compile(
        r"\b(?:editing (?:program|software|tool)|(?:photo )?editor|edited (?:with|in)|photoshop)\b"
    ),
    "generator": re.compile(r"\b(?:(?:image|picture|ai) generators?|generator|generated in)\b"),
    "camera": re.compile(r"\bcamera(?! angle)\b"),
}
_RECORD = re.compile(
    r"\brecords? of (?:its|the file's|the) (?:origin|source)\b|"
    r"\b(?:metadata|meta data|exif(?: data)?|provenance(?: (?:record|data))?)\b"
)
_ABROAD = {
    "de": {
        "none": "Die Datei trägt keinen Nachweis ihrer Herkunft; das Fehlen beweist nichts.",
        "c2pa": "Die Datei trägt einen C2PA-Nachweis ihrer Herkunft{quoted}; dessen Signatur "
        "wurde hier nicht geprüft.",
        "editor": "Die Datei nennt ein Bearbeitungsprogramm{quoted}; solche Programme leisten "
        "auch Harmloses.",
        "generator": "Die Datei nennt einen Bildgenerator{quoted}; das sagt die Datei von sich "
        "selbst, gemessen ist es nicht.",
        "camera": "Die Datei nennt eine Kamera{quoted}; ein solcher Name lässt sich in jede "
        "Datei kopieren.",
    },
    "es": {
        "none": "El archivo no lleva constancia de su origen; su falta no prueba nada.",
        "c2pa": "El archivo lleva una constancia C2PA de su origen{quoted}; su firma no se ha "
        "comprobado aquí.",
        "editor": "El archivo nombra un programa de edición{quoted}; esos programas también "
        "sirven para cosas inocuas.",
        "generator": "El archivo nombra un generador de imágenes{quoted}; lo dice el archivo de "
        "sí mismo, no es una medición.",
        "camera": "El archivo nombra una cámara{quoted}; ese nombre se puede copiar a "
        "cualquier archivo.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginFact(Fact):
    """One record: ``source`` is ``c2pa``, ``editor``, ``generator``, ``camera``, or ``none``.

    ``name``: the name in it that may be quoted, or empty.
    """

    kind: ClassVar[FactKind] = FactKind.PROVENANCE
    wordings: ClassVar[Wordings] = _WORDINGS

    source: str
    name: str = ""

    @property
    def text(self) -> str:
        return self.said(f"origin-{self.source}")[0]

    def values(self) -> dict[str, Any]:
        return {"kind": self.source, "value": self.name}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_ABROAD[language][self.source].format(**self.fields()),)

    def topics(self) -> tuple[str, ...]:
        return (f"origin-{self.source}",)

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


def origin_facts(notes: Sequence[ProvenanceNote]) -> list[Fact]:
    """At most four records as facts, or that there is none."""
    kept = [note for note in notes if note.kind != "none"][:_MOST_NOTES]
    if not kept:
        return [OriginFact(id="P1", source="none")]
    return [
        OriginFact(id=f"P{i}", source=note.kind, name=quotable_name(note.value))
        for i, note in enumerate(kept, 1)
    ]
