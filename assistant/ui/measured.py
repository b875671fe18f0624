"""What was measured, as HTML: verdict, picture with map, regions, steadiness and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from assistant.attribution.neutralise import CounterfactualMethod, neutralise
from assistant.attribution.regions import region_masks
from assistant.evidence import ChangeFact, EffectFact, SpreadFact, percent
from assistant.first_answer import first_answer, named_regions
from assistant.numbers import reach
from assistant.overlay import heat_rgba, outline_rgba, png_bytes
from assistant.pairs import HOW_NEUTRALISED
from assistant.types import FaceAnalysis, FactKind, Media, Verdict, ranked_regions
from assistant.ui.markup import data_uri, render

__all__ = [
    "causes_panel",
    "evidence_panel",
    "fragility_panel",
    "look_panel",
    "tabs",
    "verdict_panel",
]

_LEAST_CHIPS, _WORTH_A_CHIP = 3, 0.03
# How many counterfactuals are shown as pictures; the others are told in the evidence.
_STRIP_LENGTH = 4
_RIM_SIZE = 448
_MARKS = {
    Verdict.NO_SIGN: "M5 12.5l4.2 4.2L19 7",
    Verdict.UNCERTAIN: "M9 9.2a3 3 0 1 1 4.4 2.6c-1 .6-1.4 1.1-1.4 2.2M12 17.6v.1",
    Verdict.LIKELY_MANIPULATED: "M12 6.5v7M12 17.4v.1",
}
_KINDS = {
    FactKind.SCORE: "Score",
    FactKind.REGION: "Regions",
    FactKind.QUALITY: "Quality",
    FactKind.PROVENANCE: "Origin",
    FactKind.COUNTERFACTUAL: "What if a place were covered",
    FactKind.FRAGILITY: "What if the file had been changed",
    FactKind.DOMAIN: "Likeness to training data",
    FactKind.CUE: "What can be seen",
    FactKind.TIME: "Over time",
    FactKind.OPINION: "What other detectors say",
    FactKind.LIMIT: "Limits",
}


def tabs(faces: Sequence[FaceAnalysis], active: int) -> str:
    """A tab a face; nothing where there is only one."""
    return render("measured", "tabs", faces, active) if len(faces) > 1 else ""


def verdict_panel(
    result: FaceAnalysis, *, count: int, media: Media, warnings: Sequence[str], demo: bool
) -> str:
    """Verdict and probability, in numbers and on a bar, and the answer that comes first."""
    score = result.score
    timed = result.timeline
    who = "Face" if timed is None else "Person"
    which = f"{who} {result.face.index + 1} of {count}: " if count > 1 else ""
    read = len(media.frames) if timed is None else len(timed.moments)
    video = [f"Video: judged over {read} sampled frames."]
    notes = [*(video if media.kind == "video" else ()), *warnings]
    return render(
        "measured",
        "verdict_panel",
        score,
        which,
        _MARKS[score.verdict],
        notes,
        demo,
        span=reach(*score.interval) if score.calibrated else "",
        answer=first_answer(result.evidence),
    )


def look_panel(result: FaceAnalysis, *, count: int) -> str:
    """Face and map side by side, a slider for the map's opacity, and chips that outline regions.

    ``count`` is the number of faces in the picture.
    """
    named = named_regions(result.evidence, result.regions)
    found = [*named, *(r for r in ranked_regions(result.regions) if r not in named)]
    top = ", ".join(f"{r.region} {percent(r.share)}" for r in found[:3])
    shares = f"Shares of the map: {top}." if top else "No face parts could be told apart."
    face = f"Face {result.face.index + 1}" if count > 1 else "The face"
    chips = [
        r
        for i, r in enumerate(found)
        if r.area > 0 and (i < _LEAST_CHIPS or r.stands_out or r.share >= _WORTH_A_CHIP)
    ]
    crop = data_uri(png_bytes(result.face.crop))
    heat = data_uri(png_bytes(heat_rgba(result.attribution.map)))
    given = (face, result.attribution, crop, heat, _outlines(result), shares, chips)
    return render("measured", "look_panel", *given)


def _outlines(result: FaceAnalysis) -> dict[str, str]:
    """Outlines of all regions of the crop as data URIs, drawn finer than the crop itself."""
    if not result.regions:  # no face parts can be told apart
        return {}
    scale = _RIM_SIZE / result.face.crop.shape[0]
    masks = region_masks(result.face.crop_landmarks * scale, _RIM_SIZE)
    measured = {finding.region for finding in result.regions}
    return {
        region: data_uri(png_bytes(outline_rgba(mask, width=3)))
        for region, mask in masks.items()
        if region in measured and mask.any()
    }


def causes_panel(result: FaceAnalysis) -> str:
    """Before and after each counterfactual, with the numbers; empty where there is none."""
    effects = result.evidence.of(EffectFact)
    if not effects:
        return ""
    how = next((f.method for f in effects if f.method != "left-out"), "left-out")
    face = result.face
    masks = region_masks(face.crop_landmarks, face.crop.shape[:2])
    without = {}  # the crop as it was scored again
    for fact in effects[:_STRIP_LENGTH]:
        mask = masks[fact.region]
        if mask.any():
            method = cast("CounterfactualMethod", fact.method)
            without[fact.region] = data_uri(png_bytes(neutralise(face.crop, mask, method)))
    return render(
        "measured",
        "causes_panel",
        effects[:_STRIP_LENGTH],
        HOW_NEUTRALISED.get(how, "left out"),
        data_uri(png_bytes(face.crop)),
        without,
        result.score.probability,
    )


def fragility_panel(result: FaceAnalysis, *, pending: Sequence[str] = ()) -> str:
    """The score after each everyday change, beside the verdict's bands; empty without such facts.

    ``pending`` names the changes that are still to be measured: until there are facts, empty bars
    keep their place, so that nothing on the page moves when they fill.
    """
    changes = result.evidence.of(ChangeFact)
    if not changes and not pending:
        return ""
    summary = result.evidence.first(SpreadFact)
    return render("measured", "fragility_panel", result.score, changes, summary, pending)


def evidence_panel(result: FaceAnalysis) -> str:
    """Every fact with its id, folded until one is asked for."""
    return render("measured", "evidence_panel", result.evidence.facts, _KINDS)
