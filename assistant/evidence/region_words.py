"""Sentences of the map's regions, by language."""

from __future__ import annotations

from assistant.types import Wordings

__all__ = ["ABROAD", "NEXT", "OTHERS", "PEAK", "REGION"]


REGION: Wordings = {
    "region-first": {
        "train": (
            "{Region} stands out in the map, with {share} of its weight.",
            "The map points to {region}: it draws {share} of the map, {lift} times what its size "
            "alone explains.",
            "{Region} stands out: it draws {share} of the map, {lift} times what its size alone "
            "explains.",
            "The map points to {region}, with {share} of its weight.",
        ),
        "heldout": (
            "What stands out is {region}, with {share} of the map.",
            "{Region} draws {share} of the map, {lift} times what its size alone explains.",
        ),
    },
    # Of a region by itself, whatever its rank.
    "region-alone": {
        "train": (
            "{Region} stands out in the map, with {share} of its weight.",
            "{Region} stands out: it draws {share} of the map.",
        ),
        "heldout": ("{Region} draws {share} of the map, and so stands out.",),
    },
    # Of a region that stands out beside untouched faces, but not for its size.
    "region-more": {
        "train": (
            "The map points to {region}: it draws {share} of the map, more than in untouched faces.",
            "{Region} stands out: it draws {share} of the map, more than in untouched faces.",
        ),
        "heldout": ("{Region} draws {share} of the map, more than in untouched faces.",),
    },
    "region-next": {
        "train": (
            "{Region} stands out too, with {share} of the map.",
            "{Region} also stands out: it draws {share} of the map.",
            "The map also points to {region}, with {share} of its weight.",
        ),
        "heldout": ("{Region} stands out as well, with {share} of the map.",),
    },
    "background": {
        "train": (
            "The background lies outside the face, so this says little about the face itself.",
            "The background is not part of the face, so this says little about the face itself.",
        ),
        "heldout": (
            "The background lies outside the face, which says little about the face itself.",
        ),
    },
}


PEAK: Wordings = {
    "peak": {
        "train": (
            "The map is strongest at {region}, with {share} of it, but no stronger than in untouched "
            "faces.",
            "The map points to {region}, with {share} of its weight, as it can in untouched faces.",
        ),
        "heldout": (
            "Strongest in the map is {region}, with {share} of it, as can be in untouched faces.",
        ),
    },
    "peak-not": {
        "train": (
            "{Region} does not stand out: untouched faces can draw as much of the map there.",
        ),
        "heldout": ("{Region} does not stand out.",),
    },
}


NEXT: Wordings = {
    "next": {
        "train": (
            "Next in the map comes {region}, with {share} of it, no more than in untouched faces.",
            "After that the map points to {region}, with {share} of it, as it can in untouched faces.",
        ),
        "heldout": (
            "Then comes {region} in the map, with {share} of it, as can be in untouched faces.",
        ),
    },
    "next-not": PEAK["peak-not"],
}


OTHERS: Wordings = {
    "regions-none": {
        "train": (
            "No region stands out in the map.",
            "No region stands out: none draws more of the map than in untouched faces.",
            "The map points to no region in particular.",
        ),
        "heldout": ("In the map, no region stands out.",),
    },
    "regions-other": {
        "train": ("No other region stands out.", "The other regions do not stand out."),
        "heldout": ("None of the other regions stands out.",),
    },
    "region-not": {
        "train": (
            "{Region} does not stand out in the map.",
            "The map does not point to {region}.",
        ),
        "heldout": ("{Region} does not stand out.",),
    },
}


ABROAD = {
    "de": {
        "region": "{Region} sticht hervor: {share} der Karte liegen dort, {lift}-mal so viel, wie die "
        "Größe allein erklärt.",
        "background": "Der Hintergrund liegt außerhalb des Gesichts.",
        "none": "Keine Region sticht hervor: keine nimmt mehr von der Karte ein als bei unberührten "
        "Gesichtern.",
        "other": "Keine andere Region sticht hervor.",
        "peak": "Am stärksten ist die Karte hier: {region}, mit {share} der Karte, aber nicht stärker als "
        "bei unberührten Gesichtern.",
        "next": "Danach kommt auf der Karte: {region}, mit {share} der Karte, nicht mehr als bei "
        "unberührten Gesichtern.",
    },
    "es": {
        "region": "Destaca {region}: allí está el {share} del mapa, {lift} veces lo que explica su "
        "tamaño.",
        "background": "El fondo queda fuera de la cara.",
        "none": "No destaca ninguna región: ninguna ocupa más del mapa que en caras sin tocar.",
        "other": "No destaca ninguna otra región.",
        "peak": "Donde más fuerte es el mapa: {region}, con el {share} del mapa, pero no más que en caras "
        "sin tocar.",
        "next": "Después viene en el mapa: {region}, con el {share} del mapa, no más que en caras sin "
        "tocar.",
    },
}
