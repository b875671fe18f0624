"""Sentences of the score and the verdict, by language."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.types import Wordings

__all__ = ["ABROAD", "FRAMES", "SCORE", "UNSEEN", "VERDICT"]

#: For which faces a probability is meant that was calibrated on sources left out of training.
UNSEEN = "from a source like none of those that the detector was trained on"
SCORE: Wordings = {
    "score": {
        "train": (
            "The probability that this face was manipulated is {shown}, between {low} and {high}.",
            "The detector gives a probability of manipulation of {shown} (interval {low} to {high}).",
            "The probability of manipulation is {shown}, with an interval from {low} to {high}.",
            "The detector puts the probability of manipulation at {shown} (interval {low} to {high}).",
            "The detector finds a probability of manipulation of {shown}; the interval runs from {low} "
            "to {high}.",
        ),
        "heldout": (
            "The chance of manipulation is put at {shown}, with an interval of {low} to {high}.",
            "The detector rates the probability of manipulation at {shown} (interval {low} to {high}).",
        ),
    },
    "score-short": {
        "train": (
            "The probability that this face was manipulated is {shown}.",
            "The probability of manipulation is {shown}.",
            "The detector finds a probability of manipulation of {shown}.",
            "The detector gives this face a probability of manipulation of {shown}.",
        ),
        "heldout": ("The probability that this face is manipulated is {shown}.",),
    },
    "raw": {
        "train": (
            "The detector's raw score is {shown} on a scale from 0 to 1; it was never calibrated, so "
            "this is no probability.",
        ),
        "heldout": (
            "On a scale from 0 to 1 the raw score is {shown}; this detector was never calibrated, so "
            "that is no probability.",
        ),
    },
    "unseen": {
        "train": (
            f"The probability is meant for a face {UNSEEN}.",
            f"It is the probability for a face {UNSEEN}.",
        ),
        "heldout": (f"This is the probability of a face {UNSEEN}.",),
    },
    "wide": {
        "train": (
            "The interval is wide, so take the exact number with care.",
            "The interval is wide, so the number could well be another.",
        ),
        "heldout": ("Take the exact number with care, because the interval is wide.",),
    },
    "narrow": {
        "train": ("The interval is narrow.", "The interval around the score is narrow."),
        "heldout": ("The score has a narrow interval.",),
    },
}
VERDICT: Wordings = {
    "verdict-likely_manipulated": {
        "train": (
            "This face is likely manipulated: the probability, {shown}, reaches {upper}, the limit for "
            "that answer.",
            "The verdict is likely manipulated, because the probability of {shown} reaches the limit "
            "of {upper}.",
            "The face is likely manipulated, since {shown} reaches {upper}, where that answer "
            "begins.",
        ),
        "heldout": (
            "The verdict reads likely manipulated, as {shown} is not below its limit of {upper}.",
        ),
    },
    "verdict-no_sign": {
        "train": (
            "No sign of manipulation was found: the probability, {shown}, is below {lower}, the limit "
            "for that answer.",
            "The verdict is no sign found, because the probability of {shown} is below the limit of "
            "{lower}.",
            "No sign of manipulation was found, since {shown} lies below {lower}, where that answer "
            "ends.",
        ),
        "heldout": ("The verdict reads no sign found, as {shown} is below its limit of {lower}.",),
    },
    "verdict-uncertain": {
        "train": (
            "It is uncertain whether this face was manipulated: the probability, {shown}, lies between "
            "{lower} and {upper}, too high for no sign found and too low for likely manipulated.",
            "The verdict is uncertain, because the probability of {shown} lies between the limits of "
            "{lower} and {upper}.",
            "The verdict is uncertain: {shown} lies between {lower} and {upper}, where neither answer "
            "is given.",
        ),
        "heldout": (
            "The verdict reads uncertain, as {shown} lies between its limits of {lower} and {upper}.",
        ),
    },
    "verdict-abstained": {
        "train": (
            "The verdict is uncertain: the face lies outside what the detector knows, so its score "
            "gives no verdict.",
        ),
        "heldout": (
            "No verdict follows from this score, because the face lies outside what the detector "
            "knows: the verdict is uncertain.",
        ),
    },
    "verdict-uncalibrated": {
        "train": (
            "The verdict is uncertain: this detector was never calibrated, so its score gives no "
            "verdict.",
        ),
        "heldout": (
            "No verdict follows from this score, because this detector was never calibrated: the "
            "verdict is uncertain.",
        ),
    },
    "limits": {
        "train": (
            "A probability below {lower} counts as no sign found, one from {upper} on as likely "
            "manipulated, and what lies between as uncertain.",
        ),
        "heldout": (
            "Below {lower} the verdict is no sign found, from {upper} on it is likely manipulated; "
            "between them it is uncertain.",
        ),
    },
    "verdict-short": {
        "train": (
            "The verdict is {verdict}.",
            "The measured verdict is {verdict}.",
        ),
        "heldout": ("The verdict for this face is {verdict}.",),
    },
    "verdict-kept": {
        "train": ("The verdict stays {verdict}.",),
        "heldout": ("The verdict remains {verdict}.",),
    },
    "neither": {
        "train": (
            "The score gives no clear verdict.",
            "The score gives no clear verdict for either side.",
        ),
        "heldout": ("No clear verdict follows from the score.",),
    },
    "crosses": {
        "train": (
            "The interval reaches into another verdict, so the case is close.",
            "The case is close, because the interval crosses a threshold.",
        ),
        "heldout": ("The interval crosses a threshold, so the case is close.",),
    },
}
FRAMES: Wordings = {
    "frames": {
        "train": (
            "The score is taken over {frames} frames; single frames range from {low} to {high}.",
            "Over {frames} frames of the video, single frames range from {low} to {high}.",
        ),
        "heldout": ("Single frames range from {low} to {high}, over {frames} frames.",),
    },
}
ABROAD: Mapping[str, Mapping[str, str]] = {
    "de": {
        "raw": "Der Rohwert des Detektors ist {shown} auf einer Skala von 0 bis 1; er wurde nie "
        "kalibriert und ist darum keine Wahrscheinlichkeit.",
        "uncalibrated": "Das Urteil ist unsicher: Dieser Detektor wurde nie kalibriert, sein Wert "
        "gibt darum kein Urteil.",
        "score": "Die Wahrscheinlichkeit, dass dieses Gesicht manipuliert wurde, beträgt {shown} "
        "(Intervall {low} bis {high}).",
        "score-short": "Die Wahrscheinlichkeit, dass dieses Gesicht manipuliert wurde, beträgt {shown}.",
        "unseen": "Sie gilt für ein Gesicht aus einer Quelle wie keine, mit der der Detektor trainiert "
        "wurde.",
        "wide": "Das Intervall ist breit.",
        "likely_manipulated": "Das Gesicht ist wahrscheinlich manipuliert: Die Wahrscheinlichkeit, "
        "{shown}, erreicht {upper}, die Grenze für diese Antwort.",
        "no_sign": "Kein Anzeichen einer Manipulation gefunden: Die Wahrscheinlichkeit, {shown}, liegt "
        "unter {lower}, der Grenze für diese Antwort.",
        "uncertain": "Unsicher, ob dieses Gesicht manipuliert wurde: Die Wahrscheinlichkeit, {shown}, "
        "liegt zwischen {lower} und {upper}, wo keine der beiden Antworten gegeben wird.",
        "abstained": "Das Urteil lautet unsicher: Das Gesicht liegt außerhalb dessen, was der Detektor "
        "kennt, sein Wert ergibt daher kein Urteil.",
        "crosses": "Das Intervall reicht in ein anderes Urteil hinein; der Fall ist knapp.",
        "frames": "Der Wert stammt aus {frames} Bildern des Videos; einzelne Bilder liegen zwischen "
        "{low} und {high}.",
    },
    "es": {
        "raw": "La puntuación bruta del detector es {shown} en una escala de 0 a 1; nunca se calibró, "
        "así que no es una probabilidad.",
        "uncalibrated": "El veredicto es incierto: este detector nunca se calibró, así que su "
        "puntuación no da un veredicto.",
        "score": "La probabilidad de que esta cara haya sido manipulada es del {shown} (intervalo del "
        "{low} al {high}).",
        "score-short": "La probabilidad de que esta cara haya sido manipulada es del {shown}.",
        "unseen": "Vale para una cara de una fuente distinta de todas aquellas con las que se entrenó "
        "el detector.",
        "wide": "El intervalo es ancho.",
        "likely_manipulated": "La cara está probablemente manipulada: la probabilidad, {shown}, alcanza "
        "el {upper}, el límite de esa respuesta.",
        "no_sign": "No se ha encontrado ningún indicio de manipulación: la probabilidad, {shown}, está "
        "por debajo del {lower}, el límite de esa respuesta.",
        "uncertain": "No está claro si esta cara fue manipulada: la probabilidad, {shown}, está entre el "
        "{lower} y el {upper}, donde no se da ninguna de las dos respuestas.",
        "abstained": "El veredicto es incierto: la cara queda fuera de lo que el detector conoce, así "
        "que su puntuación no da un veredicto.",
        "crosses": "El intervalo llega a otro veredicto; el caso es ajustado.",
        "frames": "La puntuación se toma de {frames} fotogramas del vídeo; los fotogramas van del "
        "{low} al {high}.",
    },
}
