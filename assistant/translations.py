"""Languages of answers, and their sentences that claim nothing about a case. Pure.

What a fact says in other languages is its own (``Fact.abroad``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["CLOSED_ABROAD", "LANGUAGES", "Language"]

Language = Literal["en", "de", "es"]

#: Languages besides English, with their own names.
LANGUAGES: Mapping[Language, str] = {"de": "Deutsch", "es": "Español"}

#: language -> topic -> a sentence that claims nothing about a case.
CLOSED_ABROAD: Mapping[Language, Mapping[str, str]] = {
    "de": {
        "identity": "Wer das ist, wurde nicht gemessen; dazu sage ich nichts.",
        "pressure": "Das Urteil folgt aus dem gemessenen Wert; eine Bitte ändert daran nichts.",
        "scope": "Dazu wurde hier nichts gemessen.",
        "advice": "Entscheiden Sie nicht allein nach diesem Wert.",
        "advice-source": "Suchen Sie das Original oder eine frühere Kopie.",
        "nothing": "Es wurde nichts gemessen, also gibt es nichts zu erklären.",
    },
    "es": {
        "identity": "No se ha medido quién es; de eso no digo nada.",
        "pressure": "El veredicto sale de la puntuación medida; una petición no lo cambia.",
        "scope": "Sobre eso no se ha medido nada.",
        "advice": "No decida solo por esta puntuación.",
        "advice-source": "Busque el original o una copia anterior.",
        "nothing": "No se ha medido nada, así que no hay nada que explicar.",
    },
}
