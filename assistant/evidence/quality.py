"""Q: what is wrong with the picture of a face, and what that means for trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant.evidence.languages import amount_abroad
from assistant.numbers import amount
from assistant.types import Fact, FactKind, QualityIssue, QualityNote, Wordings

__all__ = ["FlawlessFact", "QualityFact", "quality_facts"]

_MOST_NOTES = 4
_Q = QualityIssue

# issue -> language -> (what is the case, what it means for trust)
_ISSUES: Mapping[QualityIssue, Mapping[str, tuple[str, str]]] = {
    _Q.SMALL: {
        "en": ("the face is small", "fine traces can be lost"),
        "de": ("Das Gesicht ist klein", "feine Spuren können fehlen"),
        "es": ("La cara es pequeña", "pueden faltar huellas finas"),
    },
    _Q.BLURRED: {
        "en": ("the face is blurred", "fine traces can be lost"),
        "de": ("Das Gesicht ist unscharf", "feine Spuren können fehlen"),
        "es": ("La cara está borrosa", "pueden faltar huellas finas"),
    },
    _Q.TURNED: {
        "en": ("the face is turned away", "part of it cannot be judged"),
        "de": ("Das Gesicht ist abgewandt", "ein Teil lässt sich nicht beurteilen"),
        "es": ("La cara está girada", "una parte no se puede juzgar"),
    },
    _Q.DARK: {
        "en": ("the face is dark", "detail is hidden in the shadows"),
        "de": ("Das Gesicht ist dunkel", "Einzelheiten sind verdeckt"),
        "es": ("La cara está oscura", "hay detalle oculto"),
    },
    _Q.BRIGHT: {
        "en": ("the face is overexposed", "detail is lost in the bright parts"),
        "de": ("Das Gesicht ist überbelichtet", "Einzelheiten fehlen"),
        "es": ("La cara está sobreexpuesta", "falta detalle"),
    },
    _Q.CUT_OFF: {
        "en": ("the face is cut off", "part of it cannot be judged"),
        "de": ("Das Gesicht ist abgeschnitten", "ein Teil lässt sich nicht beurteilen"),
        "es": ("La cara está cortada", "una parte no se puede juzgar"),
    },
    _Q.GREYSCALE: {
        "en": ("the face is greyscale", "colour traces cannot be judged"),
        "de": ("Das Gesicht ist schwarz-weiß", "Farbspuren lassen sich nicht beurteilen"),
        "es": ("La cara está en blanco y negro", "no se pueden juzgar huellas de color"),
    },
    _Q.COMPRESSED: {
        "en": ("the picture is strongly compressed", "fine traces can be lost"),
        "de": ("Das Bild ist stark komprimiert", "feine Spuren können fehlen"),
        "es": ("La imagen está muy comprimida", "pueden faltar huellas finas"),
    },
    _Q.UNSURE: {
        "en": ("the face was found with low confidence", "it may not be a clear face"),
        "de": (
            "Das Gesicht wurde nur schwach erkannt",
            "vielleicht ist es kein deutliches Gesicht",
        ),
        "es": ("La cara se ha detectado con poca seguridad", "quizá no sea una cara clara"),
    },
}
_ISSUE_ABROAD = {
    "de": "{case} (gemessen {value}, Grenze {limit}): {meaning}; vertrauen Sie dem Wert weniger.",
    "es": "{case} (medido {value}, límite {limit}): {meaning}; confíe menos en la puntuación.",
}
_FLAWLESS_ABROAD = {
    "de": "Es wurde kein Qualitätsproblem gemessen.",
    "es": "No se ha medido ningún problema de calidad.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFact(Fact):
    """One quality problem: the value measured, the limit that it misses, in ``unit``."""

    kind: ClassVar[FactKind] = FactKind.QUALITY
    wordings: ClassVar[Wordings] = {
        "quality-issue": {
            "train": (
                "{Case} (measured {value}, limit {limit}), so trust the score less.",
                "{Case}: {meaning}, so trust the score less.",
                "Trust the score less, because {case}.",
            ),
            "heldout": ("Because {case}, trust the score less.",),
        },
        "quality-next": {
            "train": ("Besides, {case}: {meaning}.", "{Case}, too: {meaning}."),
            "heldout": ("Also, {case}: {meaning}.",),
        },
    }

    issue: QualityIssue
    value: float
    limit: float
    unit: str

    @property
    def text(self) -> str:
        return (
            "{Case} (measured {value}, limit {limit}): {meaning}, so trust the score less."
        ).format(**self.fields())

    def values(self) -> dict[str, Any]:
        return {
            "issue": self.issue.value,
            "value": self.value,
            "limit": self.limit,
            "unit": self.unit,
        }

    def abroad(self, language: str) -> tuple[str, ...]:
        case, meaning = _ISSUES[self.issue][language]
        value, limit = (amount_abroad(v, self.unit) for v in (self.value, self.limit))
        said = _ISSUE_ABROAD[language]
        return (said.format(case=case, meaning=meaning, value=value, limit=limit),)

    def fields(self) -> dict[str, str]:
        case, meaning = _ISSUES[self.issue]["en"]
        return {
            "case": case,
            "Case": case[0].upper() + case[1:],
            "meaning": meaning,
            "value": amount(self.value, self.unit),
            "limit": amount(self.limit, self.unit),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FlawlessFact(Fact):
    """No quality problem was measured."""

    kind: ClassVar[FactKind] = FactKind.QUALITY
    wordings: ClassVar[Wordings] = {
        "quality-none": {
            "train": (
                "No quality problem was measured.",
                "No quality problem of the picture was measured.",
                "The quality check found no problem.",
            ),
            "heldout": ("The quality check measured no problem.",),
        },
    }

    @property
    def text(self) -> str:
        return self.said("quality-none")[0]

    def values(self) -> dict[str, Any]:
        return {"issue": "", "value": 0.0, "limit": 0.0, "unit": ""}

    def abroad(self, language: str) -> tuple[str, ...]:
        return (_FLAWLESS_ABROAD[language],)


def quality_facts(notes: Sequence[QualityNote]) -> list[Fact]:
    """At most four notes as facts, or that there is none."""
    if not notes:
        return [FlawlessFact(id="Q1")]
    return [
        QualityFact(id=f"Q{i}", issue=n.issue, value=n.value, limit=n.limit, unit=n.unit)
        for i, n in enumerate(notes[:_MOST_NOTES], 1)
    ]
