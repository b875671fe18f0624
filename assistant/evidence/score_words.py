"""Sentences of the score and the verdict, by language."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.types import Wordings

__all__ = ["ABROAD", "FRAMES", "SCORE", "VERDICT"]

SCORE: Wordings = {
    "score": {
        "train": (
            "The detector gives a probability of manipulation of {shown} (interval {low} to {high}).",
            "The probability of manipulation is {shown}, with an interval from {low} to {high}.",
            "The detector puts the probability of manipulation at {shown} (interval {low} to {high}).",
            "This face gets a probability of manipulation of {shown}, with an interval from {low} to "
            "{high}.",
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
            "The probability of manipulation is {shown}.",
            "The detector finds a probability of manipulation of {shown}.",
            "The detector gives this face a probability of manipulation of {shown}.",
        ),
        "heldout": ("The probability that this face is manipulated is {shown}.",),
    },
    "meaning": {
        "train": (
            "Of the faces with such a score in the calibration data, {many} were manipulated.",
            "In the calibration data, {many} faces with such a score were manipulated.",
            "Among calibration faces with this score, {many} were manipulated.",
        ),
        "heldout": ("Of calibration faces that score like this, {many} were manipulated.",),
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
            "The verdict is likely manipulated, because scores from {upper} up count as such.",
            "The verdict is likely manipulated, because the score reaches the threshold of {upper}.",
            "The verdict is likely manipulated: scores from {upper} up count as likely manipulated.",
        ),
        "heldout": (
            "The verdict reads likely manipulated, which begins at a threshold of {upper}.",
            "The face counts as likely manipulated, since the threshold is {upper}.",
        ),
    },
    "verdict-no_sign": {
        "train": (
            "The verdict is no sign found, because scores below {lower} count as such.",
            "The verdict is no sign found, because the score is below the threshold of {lower}.",
            "The verdict is no sign found: scores below {lower} count as no sign found.",
        ),
        "heldout": (
            "The verdict reads no sign found, which ends at a threshold of {lower}.",
            "The face counts as no sign found, since the threshold is {lower}.",
        ),
    },
    "verdict-uncertain": {
        "train": (
            "The verdict is uncertain, because scores between {lower} and {upper} count as such.",
            "The verdict is uncertain, because the score lies between the thresholds of {lower} and "
            "{upper}.",
            "The verdict is uncertain; the score lies between {lower} and {upper}.",
            "The verdict is uncertain: scores between {lower} and {upper} count as uncertain.",
        ),
        "heldout": (
            "The verdict reads uncertain, as the thresholds are {lower} and {upper}.",
            "The face counts as uncertain, since the thresholds are {lower} and {upper}.",
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
        "score": "Der Detektor gibt eine Wahrscheinlichkeit für Manipulation von {shown} an "
        "(Intervall {low} bis {high}).",
        "meaning": "Von den Gesichtern mit einem solchen Wert in seinen Kalibrierdaten waren {many} "
        "manipuliert.",
        "many": "etwa {n} von 100",
        "few": "weniger als 1 von 100",
        "most": "mehr als 99 von 100",
        "wide": "Das Intervall ist breit.",
        "narrow": "Das Intervall ist schmal.",
        "likely_manipulated": "Das Urteil lautet wahrscheinlich manipuliert: Werte ab {upper} gelten "
        "als wahrscheinlich manipuliert.",
        "no_sign": "Das Urteil lautet kein Anzeichen gefunden: Werte unter {lower} gelten als "
        "kein Anzeichen gefunden.",
        "uncertain": "Das Urteil lautet unsicher: Werte zwischen {lower} und {upper} gelten als "
        "unsicher.",
        "abstained": "Das Urteil lautet unsicher: Das Gesicht liegt außerhalb dessen, was der Detektor "
        "kennt, sein Wert ergibt daher kein Urteil.",
        "crosses": "Das Intervall reicht in ein anderes Urteil hinein; der Fall ist knapp.",
        "frames": "Der Wert stammt aus {frames} Bildern des Videos; einzelne Bilder liegen zwischen "
        "{low} und {high}.",
    },
    "es": {
        "score": "El detector da una probabilidad de manipulación del {shown} (intervalo del {low} al "
        "{high}).",
        "meaning": "De las caras con una puntuación así en sus datos de calibración, {many} estaban "
        "manipuladas.",
        "many": "unas {n} de cada 100",
        "few": "menos de 1 de cada 100",
        "most": "más de 99 de cada 100",
        "wide": "El intervalo es ancho.",
        "narrow": "El intervalo es estrecho.",
        "likely_manipulated": "El veredicto es probablemente manipulado: desde el {upper} cuenta como "
        "probablemente manipulado.",
        "no_sign": "El veredicto es ningún indicio: por debajo del {lower} cuenta como "
        "ningún indicio.",
        "uncertain": "El veredicto es incierto: entre el {lower} y el {upper} cuenta como incierto.",
        "abstained": "El veredicto es incierto: la cara queda fuera de lo que el detector conoce, así "
        "que su puntuación no da un veredicto.",
        "crosses": "El intervalo llega a otro veredicto; el caso es ajustado.",
        "frames": "La puntuación se toma de {frames} fotogramas del vídeo; los fotogramas van del "
        "{low} al {high}.",
    },
}
