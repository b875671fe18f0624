"""English sentences for facts: topic -> variant -> patterns.

The fields are filled by ``lines.py``. ``train`` patterns serve the template narrator and the training
of the language model; ``heldout`` ones only its test.
"""

from __future__ import annotations

from collections.abc import Mapping

from assistant.vlm.composition.english_effects import EFFECTS

__all__ = ["ISSUES", "PATTERNS"]

#: quality issue -> (what is the case, what it means)
ISSUES: Mapping[str, tuple[str, str]] = {
    "small": ("the face is small", "fine traces can be lost"),
    "blurred": ("the face is blurred", "fine traces can be lost"),
    "turned away": ("the face is turned away", "part of it cannot be judged"),
    "dark": ("the face is dark", "detail is hidden"),
    "overexposed": ("the face is overexposed", "detail is lost"),
    "cut off": ("the face is cut off", "part of it cannot be judged"),
    "greyscale": ("the face is greyscale", "colour traces cannot be judged"),
    "strongly compressed": ("the picture is strongly compressed", "fine traces can be lost"),
    "face found with low confidence": (
        "the face was found with low confidence",
        "it may not be a clear face",
    ),
}

PATTERNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
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
    "verdict-likely_real": {
        "train": (
            "The verdict is likely real, because scores below {lower} count as such.",
            "The verdict is likely real, because the score is below the threshold of {lower}.",
            "The verdict is likely real: scores below {lower} count as likely real.",
        ),
        "heldout": (
            "The verdict reads likely real, which ends at a threshold of {lower}.",
            "The face counts as likely real, since the threshold is {lower}.",
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
    "frames": {
        "train": (
            "The score is taken over {frames} frames; single frames range from {low} to {high}.",
            "Over {frames} frames of the video, single frames range from {low} to {high}.",
        ),
        "heldout": ("Single frames range from {low} to {high}, over {frames} frames.",),
    },
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
    "background": {
        "train": (
            "The background lies outside the face, so this says little about the face itself.",
            "The background is not part of the face, so this says little about the face itself.",
        ),
        "heldout": (
            "The background lies outside the face, which says little about the face itself.",
        ),
    },
    **EFFECTS,
    "domain-inside": {
        "train": (
            "This face is like the faces the detector was calibrated on.",
            "The detector was calibrated on faces like this one.",
        ),
        "heldout": ("The face is like those the detector was calibrated on.",),
    },
    "domain-outside": {
        "train": (
            "This face is unlike the faces the detector was calibrated on, so trust the score less.",
            "Trust the score less: this face is unlike the faces the detector was calibrated on.",
        ),
        "heldout": (
            "The detector was not calibrated on faces like this one, so trust the score less.",
        ),
    },
    "quality-none": {
        "train": (
            "No quality problem was measured.",
            "No quality problem of the picture was measured.",
            "The quality check found no problem.",
        ),
        "heldout": ("The quality check measured no problem.",),
    },
    "domain-outside-too": {
        "train": ("This face is also unlike the faces the detector was calibrated on.",),
        "heldout": ("This face, too, is unlike the faces the detector was calibrated on.",),
    },
    "quality-next": {
        "train": ("Besides, {case}: {meaning}.", "{Case}, too: {meaning}."),
        "heldout": ("Also, {case}: {meaning}.",),
    },
    "quality-issue": {
        "train": (
            "{Case} (measured {value}, limit {limit}), so trust the score less.",
            "{Case}: {meaning}, so trust the score less.",
            "Trust the score less, because {case}.",
        ),
        "heldout": ("Because {case}, trust the score less.",),
    },
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
    "not-proof": {
        "train": (
            "The detector can be wrong: its score is an estimate, not proof.",
            "This is an estimate, not proof, and the detector can be wrong.",
            "The score is not proof, because the detector can be wrong.",
        ),
        "heldout": ("Since the detector can be wrong, its score is not proof.",),
    },
    "map-limit": {
        "train": (
            "The map shows where the detector looked, not what was changed there.",
            "The map tells where the detector looked; it does not tell what was changed.",
        ),
        "heldout": ("The map does not tell what was changed, only where the detector looked.",),
    },
}
