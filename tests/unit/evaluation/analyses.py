"""Analyses made from evidence, for tests of what is measured on texts."""

from __future__ import annotations

import numpy as np

from assistant.evidence import OtherRegionsFact, QualityFact, RegionFact, StrongestFact
from assistant.types import (
    Attribution,
    CropSpec,
    Evidence,
    Face,
    FaceAnalysis,
    QualityNote,
    RegionFinding,
    Score,
)
from tests.unit.grounding import cases


def analysis(evidence: Evidence) -> FaceAnalysis:
    """An analysis whose measured values are those of the evidence."""
    regions = [
        RegionFinding(region=f.region, share=f.share, area=f.area, lift=f.lift, stands_out=True)
        for f in evidence.of(RegionFact)
    ]
    regions += [
        RegionFinding(region=f.region, share=f.share, area=f.area, lift=f.lift)
        for f in evidence.of(StrongestFact)
    ]
    for fact in evidence.of(OtherRegionsFact):
        regions += [RegionFinding(region=r, share=0.05, area=0.05, lift=1.0) for r in fact.regions]
    quality = tuple(
        QualityNote(issue=f.issue, value=f.value, limit=f.limit, unit=f.unit)
        for f in evidence.of(QualityFact)
    )
    face = Face(
        media_id=evidence.media_id,
        index=0,
        frame_index=0,
        box_xyxy=(0.0, 0.0, 64.0, 64.0),
        landmarks=np.array([[20, 24], [44, 24], [32, 36], [24, 48], [40, 48]], np.float32),
        crop=np.full((64, 64, 3), 90, np.uint8),
        crop_spec=CropSpec(size=64),
        matrix=np.eye(2, 3),
        confidence=0.9,
        quality=quality,
    )
    score = Score(
        logit=0.0,
        probability=evidence.probability,
        interval=evidence.interval,
        verdict=evidence.verdict,
        thresholds=cases.THRESHOLDS,
        detector="clip-ln",
        calibrator="platt",
        weights_sha256="0" * 64,
    )
    heat = Attribution(method="random", map=np.eye(64, dtype=np.float32), grid=(8, 8))
    return FaceAnalysis(
        face=face, score=score, attribution=heat, regions=tuple(regions), evidence=evidence
    )
