"""A blind description against what was measured: what may be shown of it, and what does not fit.

Its words are no evidence and nothing rests on them. They are compared with pixels, quality notes
and verdict so that a reader sees where the model and the measurements part.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import numpy as np

from assistant.evidence import QualityFact, VerdictFact
from assistant.evidence.reading import NEGATION
from assistant.grounding.lexicon import FORBIDDEN, MARKUP
from assistant.grounding.sentences import split
from assistant.types import Disagreement, FaceAnalysis, Image, QualityIssue, Verdict

__all__ = ["check_description"]

_MOST_SENTENCES = 8
_MOST_CHARACTERS = 240

# Narrower than what an explanation's verdict words are: "natural light" is no verdict.
_FAKE = re.compile(
    r"\b(?:manipulat\w+|fake[ds]?|deep ?-?fakes?|forge[dry]+|synthetic|doctored|tampered|altered|"
    r"edited|photoshopped|(?:ai|computer)[- ]generated|face[- ]swap\w*|unreal)\b",
    re.IGNORECASE,
)
_REAL = re.compile(r"\b(?:real|authentic|genuine|untouched|unaltered|unedited)\b", re.IGNORECASE)
_DARK = re.compile(r"\b(?:dark|dim|underexposed|poorly lit|badly lit)\b", re.IGNORECASE)
_BRIGHT = re.compile(r"\b(?:bright(?!er)|overexposed|very light|washed out)\b", re.IGNORECASE)
_EVEN = re.compile(r"\b(?:evenly|well|normally)[ -]lit\b", re.IGNORECASE)
_SOFT = re.compile(r"\b(?:soft|blurr?\w*|unsharp|out of focus)\b", re.IGNORECASE)
_SHARP = re.compile(r"\b(?<!un)(?:sharp|crisp|in focus|clear)\b", re.IGNORECASE)
_TURNED = re.compile(r"\b(?:turned away|in profile|from the side|sideways)\b", re.IGNORECASE)
_FRONTAL = re.compile(
    r"\b(?:frontal|(?:facing|looks? (?:straight )?(?:at|into|towards)|looking (?:straight )?(?:at|"
    r"into|towards)) the (?:camera|viewer)|facing forwards?)\b",
    re.IGNORECASE,
)
_GREY = re.compile(r"\b(?:grey|gray)scale|black[ -]and[ -]white|monochrome\b", re.IGNORECASE)
_COLOURLESS = re.compile(r"\bwithout (?:any )?colou?rs?\b", re.IGNORECASE)  # denies nothing
_NO_FACE = re.compile(r"\bno (?:face|person|one|human)\b", re.IGNORECASE)
_SIDE = re.compile(
    r"\b(left|right) (?:side|half) is (?:brighter|lighter)|\blight (?:is )?on the (left|right)",
    re.IGNORECASE,
)

# Mean brightness (of 255) from which a crop is not dark by any reading, and up to which not bright.
_CLEARLY_LIGHT, _CLEARLY_DARK = 120.0, 110.0
# Mean difference of neighbouring pixels above which a crop is not soft by any reading.
_CLEARLY_SHARP = 12.0
_CLEAR_LEAN = 8.0


def check_description(
    text: str, result: FaceAnalysis, *, unseen: Collection[str] = ()
) -> tuple[str, tuple[str, ...], tuple[Disagreement, ...]]:
    """What may be shown of a blind description, what is struck, and what does not fit.

    Struck is what speaks of who a person is, a verdict (it was not asked for, and may have been
    guessed), markup, and all beyond eight sentences. A struck verdict that is not the measured one
    is still told as a disagreement. Sentences with a word of ``unseen``, what the model was
    measured not to see, are no description and are dropped.
    """
    shown: list[str] = []
    struck: list[str] = []
    found: list[Disagreement] = []
    for piece in split(text):
        body = piece.body.strip()
        if not set(unseen).isdisjoint(re.findall(r"\w+", body.lower())):
            continue
        judged = _FAKE.search(body) or _REAL.search(body)
        if judged:
            found += _against_verdict(body, result)
        unfit = judged or FORBIDDEN.search(body) or MARKUP.search(piece.written)
        if unfit or len(body) > _MOST_CHARACTERS or len(shown) == _MOST_SENTENCES:
            struck.append(body)
        elif body not in shown:
            shown.append(body)
            found += _against_measured(body, result)
    return " ".join(shown), tuple(struck), tuple(dict.fromkeys(found))


def _against_verdict(said: str, result: FaceAnalysis) -> Iterator[Disagreement]:
    fake = _FAKE.search(said) is not None
    if NEGATION.search(said):
        fake = not fake
    meant = Verdict.LIKELY_MANIPULATED if fake else Verdict.NO_SIGN
    if meant is not result.score.verdict:
        cited = tuple(fact.id for fact in result.evidence.of(VerdictFact))
        measured = f"The measured verdict is {result.score.verdict.words}."
        yield Disagreement(said=said, measured=measured, cites=cited)


def _against_measured(said: str, result: FaceAnalysis) -> Iterator[Disagreement]:
    crop = result.face.crop
    noted = {note.issue for note in result.face.quality}
    read = _COLOURLESS.sub("monochrome", said)
    negated = NEGATION.search(read) is not None
    brightness = float(_luma(crop).mean())

    def part(pattern: re.Pattern[str]) -> bool:
        return pattern.search(read) is not None and not negated

    light = f"The mean brightness of the crop is {brightness:.0f} of 255."
    if part(_DARK) and QualityIssue.DARK not in noted and brightness > _CLEARLY_LIGHT:
        yield Disagreement(said=said, measured=light)
    if part(_BRIGHT) and QualityIssue.BRIGHT not in noted and brightness < _CLEARLY_DARK:
        yield Disagreement(said=said, measured=light)
    if part(_SOFT) and QualityIssue.BLURRED not in noted and _edges(crop) > _CLEARLY_SHARP:
        yield Disagreement(said=said, measured="No blur was measured.")
    for pattern, issue in (
        (_EVEN, QualityIssue.DARK),
        (_EVEN, QualityIssue.BRIGHT),
        (_SHARP, QualityIssue.BLURRED),
        (_FRONTAL, QualityIssue.TURNED),
    ):
        if part(pattern) and issue in noted:
            fact = _note(result, issue)
            yield Disagreement(said=said, measured=fact[0], cites=fact[1])
    for pattern, issue, measured in (
        (_TURNED, QualityIssue.TURNED, "The face was not measured to be turned away."),
        (_GREY, QualityIssue.GREYSCALE, "The picture was measured to have colour."),
    ):
        if part(pattern) and issue not in noted:
            yield Disagreement(said=said, measured=measured)
    side = _SIDE.search(said)
    if side and not negated:
        lean = _lean(crop)
        if abs(lean) > _CLEAR_LEAN and (lean > 0) != ((side[1] or side[2]).lower() == "left"):
            brighter = "left" if lean > 0 else "right"
            measured = f"The {brighter} half of the crop is the brighter one."
            yield Disagreement(said=said, measured=measured)
    if _NO_FACE.search(said):
        measured = f"A face was found, with a confidence of {result.face.confidence:.0%}."
        yield Disagreement(said=said, measured=measured)


def _note(result: FaceAnalysis, issue: QualityIssue) -> tuple[str, tuple[str, ...]]:
    for fact in result.evidence.of(QualityFact):
        if fact.issue is issue:
            return fact.text, (fact.id,)
    return f"Measured: the face is {issue.value}.", ()


def _luma(crop: Image) -> np.ndarray:
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    luma: np.ndarray = crop.astype(np.float32) @ weights
    return luma


def _edges(crop: Image) -> float:
    grey = _luma(crop)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def _lean(crop: Image) -> float:
    """How much brighter the left half is."""
    grey = _luma(crop)
    half = grey.shape[1] // 2
    return float(grey[:, :half].mean() - grey[:, half:].mean())
