"""The pictures of one face as data URIs: crop, map, region outlines, neutralised regions."""

from __future__ import annotations

from typing import cast

from assistant.attribution.neutralise import CounterfactualMethod, neutralise
from assistant.attribution.regions import region_masks
from assistant.evidence import EffectFact
from assistant.overlay import heat_rgba, outline_rgba, png_bytes
from assistant.types import FaceAnalysis
from assistant.ui.markup import data_uri

__all__ = ["crop_uri", "heat_uri", "neutralised_uris", "outline_uris"]

# How many counterfactuals are shown as pictures; the others are told in the evidence.
_STRIP_LENGTH = 4
_RIM_SIZE = 448


def crop_uri(result: FaceAnalysis) -> str:
    """The aligned crop."""
    return data_uri(png_bytes(result.face.crop))


def heat_uri(result: FaceAnalysis) -> str:
    """The coloured map."""
    return data_uri(png_bytes(heat_rgba(result.attribution.map)))


def outline_uris(result: FaceAnalysis) -> dict[str, str]:
    """Outlines of all regions of the crop, drawn finer than the crop itself."""
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


def neutralised_uris(result: FaceAnalysis) -> dict[str, str]:
    """The crop without each region that was neutralised and scored again, as it was scored."""
    facts = result.evidence.of(EffectFact)
    if not facts:
        return {}
    crop = result.face.crop
    masks = region_masks(result.face.crop_landmarks, crop.shape[:2])
    made = {}
    for fact in facts[:_STRIP_LENGTH]:
        region = fact.region
        if masks[region].any():
            without = neutralise(crop, masks[region], cast("CounterfactualMethod", fact.method))
            made[region] = data_uri(png_bytes(without))
    return made
