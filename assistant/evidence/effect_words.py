"""Sentences of what the score is once a region or the file is changed, by language."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.types import Wordings

__all__ = ["ABROAD", "CHANGE", "EFFECT", "SMALLEST_SET", "SPREAD"]

EFFECT: Wordings = {
    "effect-lowers": {
        "train": (
            "With {region} covered, the score falls from {before} to {after}.",
            "When {region} is covered, the score falls from {before} to {after}.",
        ),
        "heldout": ("With {region} covered, the score drops from {before} to {after}.",),
    },
    "effect-raises": {
        "train": (
            "With {region} covered, the score rises from {before} to {after}.",
            "When {region} is covered, the score rises from {before} to {after}.",
        ),
        "heldout": ("Without {region}, the score rises from {before} to {after}.",),
    },
    "effect-small": {
        "train": (
            "With {region} covered, the score goes from {before} to {after}.",
            "When {region} is covered, the score goes from {before} to {after}.",
        ),
        "heldout": ("Without {region}, the score goes from {before} to {after}.",),
    },
    "effect-hardly": {
        "train": (
            "With {region} covered, the score hardly moves ({before} to {after}).",
            "When {region} is covered, the score hardly moves ({before} to {after}).",
        ),
        "heldout": ("Without {region}, the score hardly moves ({before} to {after}).",),
    },
    "effect-hardly-map": {
        "train": (
            "The map points to {region}, but with it covered the score hardly moves "
            "({before} to {after}).",
            "{Region} stands out in the map, yet with it covered the score hardly moves "
            "({before} to {after}).",
        ),
        "heldout": (
            "Though the map points to {region}, with it covered the score hardly moves "
            "({before} to {after}).",
        ),
    },
    "effect-hardly-same": {
        "train": (
            "With {region} covered, the score stays at {before}.",
            "When {region} is covered, the score stays at {before}.",
        ),
        "heldout": ("Without {region}, the score stays at {before}.",),
    },
    "effect-hardly-map-same": {
        "train": (
            "The map points to {region}, but with it covered the score stays at {before}.",
            "{Region} stands out in the map, yet with it covered the score stays at {before}.",
        ),
        "heldout": (
            "Though the map points to {region}, with it covered the score stays at {before}.",
        ),
    },
    "effect-hardly-told": {
        "train": (
            "With {region} covered, the score hardly moves ({before} to {after}), so it does not "
            "rest on that region alone.",
            "When {region} is covered, the score hardly moves ({before} to {after}), so it does not "
            "rest on that region alone.",
        ),
        "heldout": (
            "Without {region}, the score hardly moves ({before} to {after}), so it does not rest on "
            "that region alone.",
        ),
    },
    "effect-hardly-told-same": {
        "train": (
            "With {region} covered, the score stays at {before}, so it does not rest on that region "
            "alone.",
            "When {region} is covered, the score stays at {before}, so it does not rest on that "
            "region alone.",
        ),
        "heldout": (
            "Without {region}, the score stays at {before}, so it does not rest on that region "
            "alone.",
        ),
    },
    "effect-like-random": {
        "train": (
            "With {region} covered, the score goes from {before} to {after}, but random patches of "
            "that size can do the same.",
            "When {region} is covered, the score goes from {before} to {after}, but random patches "
            "of that size can do the same.",
        ),
        "heldout": (
            "Without {region}, the score goes from {before} to {after}, but random patches of that "
            "size can do the same.",
        ),
    },
}
SMALLEST_SET: Wordings = {
    "set-found": {
        "train": (
            "With {regions} covered, the verdict would be {verdict_after} ({after}).",
            "When {regions} are covered, the verdict would be {verdict_after} ({after}).",
        ),
        "heldout": ("The verdict would be {verdict_after} ({after}) with {regions} covered.",),
    },
    "set-none": {
        "train": (
            "With {tried} covered together, the verdict stays the same.",
            "The verdict stays the same when {tried} are covered together.",
        ),
        "heldout": ("When {tried} are covered together, the verdict does not change.",),
    },
}
SPREAD: Wordings = {
    "fragility-same": {
        "train": (
            "After {count} everyday changes of the file the score lies between {low} and {high}, and "
            "the verdict stays the same.",
            "The verdict stays the same after {count} everyday changes of the file; the score lies "
            "between {low} and {high}.",
        ),
        "heldout": ("The verdict stays the same after {count} everyday changes of the file.",),
    },
    "fragility-steady": {
        "train": (
            "After {count} everyday changes of the file the score stays at {low}, and the verdict "
            "stays the same.",
            "The verdict stays the same after {count} everyday changes of the file; the score stays "
            "at {low}.",
        ),
        "heldout": ("After {count} everyday changes of the file the verdict stays the same.",),
    },
    "fragility-flips": {
        "train": (
            "After {count} everyday changes of the file the score lies between {low} and {high}; the "
            "verdict changes after {flips}.",
            "After {count} everyday changes of the file the score lies between {low} and {high}, and "
            "the verdict changes after {flips}.",
        ),
        "heldout": ("After {flips} the verdict changes.",),
    },
}
CHANGE: Wordings = {
    "change-same": {
        "train": (
            "After {change} the score goes from {before} to {after}; the verdict stays the same.",
            "With {change}, the score would be {after}, and the verdict would stay the same.",
        ),
        "heldout": ("After {change} the score is {after}, and the verdict stays the same.",),
    },
    "change-steady": {
        "train": (
            "After {change} the score stays at {before}, and the verdict stays the same.",
            "With {change}, the score would stay at {before}, and the verdict would stay the same.",
        ),
        "heldout": ("The score stays at {before} after {change}, and the verdict stays the same.",),
    },
    "change-flips": {
        "train": (
            "After {change} the score goes from {before} to {after}; the verdict would be "
            "{verdict_after}.",
            "With {change}, the score would be {after}, and the verdict would be {verdict_after}.",
        ),
        "heldout": (
            "After {change} the score is {after}, and the verdict would be {verdict_after}.",
        ),
    },
}
ABROAD: Mapping[str, Mapping[str, str]] = {
    "de": {
        "lowers": "Neutralisiert man {region}, sinkt der Wert von {before} auf {after}.",
        "raises": "Neutralisiert man {region}, steigt der Wert von {before} auf {after}.",
        "hardly": "Neutralisiert man {region}, ändert sich der Wert kaum ({before} auf {after}).",
        "hardly-map": "Die Karte weist auf {region}; neutralisiert man diese Stelle, ändert sich der "
        "Wert aber kaum ({before} auf {after}).",
        "like-random": "Neutralisiert man {region}, geht der Wert von {before} auf {after}; gleich "
        "große zufällige Flecken können dasselbe bewirken.",
        "then": "Ohne {region} wäre das Urteil {verdict}.",
        "set": "Neutralisiert man {regions}, lautet das Urteil {verdict} ({after}).",
        "set-none": "Neutralisiert man {regions}, bleibt das Urteil gleich.",
        "card-same": "Nach {count} alltäglichen Änderungen der Datei liegt der Wert zwischen {low} und "
        "{high}; das Urteil bleibt gleich.",
        "card-flips": "Nach {count} alltäglichen Änderungen der Datei liegt der Wert zwischen {low} "
        "und {high}; bei {flips} davon ändert sich das Urteil.",
    },
    "es": {
        "lowers": "Al neutralizar {region}, la puntuación baja del {before} al {after}.",
        "raises": "Al neutralizar {region}, la puntuación sube del {before} al {after}.",
        "hardly": "Al neutralizar {region}, la puntuación apenas cambia (del {before} al {after}).",
        "hardly-map": "El mapa señala {region}, pero al neutralizar esa zona la puntuación apenas "
        "cambia (del {before} al {after}).",
        "like-random": "Al neutralizar {region}, la puntuación pasa del {before} al {after}, pero "
        "manchas al azar de ese tamaño pueden hacer lo mismo.",
        "then": "Sin {region}, el veredicto sería {verdict}.",
        "set": "Al neutralizar {regions}, el veredicto sería {verdict} ({after}).",
        "set-none": "Al neutralizar {regions}, el veredicto no cambia.",
        "card-same": "Tras {count} cambios cotidianos del archivo, la puntuación queda entre el {low} "
        "y el {high}; el veredicto no cambia.",
        "card-flips": "Tras {count} cambios cotidianos del archivo, la puntuación queda entre el "
        "{low} y el {high}; con {flips} de ellos cambia el veredicto.",
    },
}
