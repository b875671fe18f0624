"""Ready-made results for tests of what the page and the card show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from assistant.attribution.regions import find_regions
from assistant.evidence import (
    ChangeFact,
    EffectFact,
    SpreadFact,
    build_evidence,
    renumbered,
)
from assistant.fakes import BrightnessDetector, FlatCalibrator, MouthMap
from assistant.interfaces import Detector
from assistant.probes import region_facts
from assistant.types import (
    REGIONS,
    Attribution,
    CropSpec,
    Evidence,
    Explanation,
    Face,
    FaceAnalysis,
    Image,
    Media,
    PromptRef,
    Score,
    Sentence,
    SentenceStatus,
    Trace,
    TrackRecord,
    Verdict,
)

PROMPT = PromptRef(name="explain", version=1, sha256="ab" * 32)
POINTS = np.array([[0.34, 0.4], [0.66, 0.4], [0.5, 0.58], [0.38, 0.75], [0.62, 0.75]])


class NoseMap(MouthMap):
    """Points to the nose, and a little to the corners of the crop."""

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        size = crop.shape[0]
        y, x = np.mgrid[0:size, 0:size] / size
        heat = np.exp(-(((x - 0.5) / 0.06) ** 2 + ((y - 0.55) / 0.08) ** 2))
        heat[: size // 8, : size // 3] = 0.15
        return replace(super().attribute(detector, crop), map=heat.astype(np.float32))


def nose_case(logit: float = 1.2) -> FaceAnalysis:
    """A face whose map peaks at the nose, as it can in untouched faces; the background stands out.

    Its parts were neutralised, which moved nothing.
    """
    usual = dict.fromkeys(REGIONS, 0.97) | {"background": 0.02}
    crop = np.full((224, 224, 3), 150, np.uint8)
    result = analysed(crop, logit=logit, attributor=NoseMap(), usual=usual)
    facts = region_facts(result, BrightnessDetector(), FlatCalibrator())
    return replace(result, evidence=renumbered(result.evidence, facts))


def analysed(
    crop: Image,
    *,
    index: int = 0,
    logit: float = 2.2,
    attributor: MouthMap | None = None,
    usual: Mapping[str, float] | None = None,
    record: TrackRecord | None = None,
) -> FaceAnalysis:
    """A face with a score, a map (of the mouth), and evidence of every kind.

    ``usual``: the shares of the map above which regions stand out.
    """
    size = crop.shape[0]
    face = Face(
        media_id="0" * 64,
        index=index,
        frame_index=0,
        box_xyxy=(0.0, 0.0, float(size), float(size)),
        landmarks=(POINTS * size).astype(np.float32),
        crop=crop,
        crop_spec=CropSpec(size=size),
        matrix=np.array([[1.0, 0, 0], [0, 1.0, 0]]),
        confidence=0.98,
    )
    calibrator = FlatCalibrator()
    calibrated = calibrator.calibrate(logit)
    score = Score(
        logit=logit,
        probability=calibrated.probability,
        interval=calibrated.interval,
        verdict=calibrated.verdict,
        thresholds=calibrator.thresholds,
        detector="clip-ln",
        calibrator="platt",
        weights_sha256="c0ffee" * 10 + "beef",
    )
    attribution = (attributor or MouthMap()).attribute(BrightnessDetector(), crop)
    regions = find_regions(attribution.map, face.crop_landmarks, usual)
    return FaceAnalysis(
        face=face,
        score=score,
        attribution=attribution,
        regions=regions,
        evidence=build_evidence(face, score, regions, _media(crop), record=record),
    )


def with_causes(result: FaceAnalysis) -> FaceAnalysis:
    """The same face with counterfactual and fragility facts."""
    before, verdict = result.score.probability, result.score.verdict
    calibrate = FlatCalibrator().calibrate
    facts = [
        EffectFact(
            id=f"C{i + 1}",
            region=region,
            before=before,
            after=after,
            matters=abs(after - before) > 0.05,
            stands_out=region == "mouth",
            verdict=verdict,
            verdict_after=Verdict.UNCERTAIN if after < 0.65 else verdict,
            control=-0.02,
            control_n=4,
        )
        for i, (region, after) in enumerate((("mouth", 0.48), ("nose", 0.86), ("left eye", 0.89)))
    ]
    changes = [
        ("JPEG quality 90", 2.1),
        ("JPEG quality 50", 1.2),
        ("half size", 0.4),
        ("mirrored", 2.3),
    ]
    after = [(name, calibrate(logit)) for name, logit in changes]
    facts.append(
        SpreadFact.of(
            "F1",
            verdict,
            [(name, c.probability, c.verdict) for name, c in after],
        )
    )
    facts += [
        ChangeFact(
            id=f"F{i + 2}",
            change=name,
            before=before,
            probability=c.probability,
            verdict=verdict,
            verdict_after=c.verdict,
        )
        for i, (name, c) in enumerate(after)
    ]
    return replace(result, evidence=renumbered(result.evidence, facts))


def _media(crop: Image) -> Media:
    return Media(
        id="0" * 64, kind="image", frames=(crop,), width=crop.shape[1], height=crop.shape[0]
    )


def spoken(evidence: Evidence) -> Explanation:
    """An explanation with sentences of all three kinds."""
    said = evidence["S1"].values()
    sentences = (
        Sentence(
            text=f"The detector gives a probability of manipulation of {said['shown']} [S1].",
            status=SentenceStatus.SUPPORTED,
            cites=("S1",),
        ),
        Sentence(
            text="The mouth stands out on the map [R1].",
            status=SentenceStatus.SUPPORTED,
            cites=("R1",),
        ),
        Sentence(
            text="The score is certain.",
            status=SentenceStatus.CONTRADICTED,
            cites=("L1",),
            reason="the evidence says that the detector can be wrong",
            replacement="The detector can be wrong: its score is an estimate, not proof.",
        ),
        Sentence(
            text="The lighting on the hair is inconsistent.",
            status=SentenceStatus.UNSUPPORTED,
            reason="hair was not measured",
        ),
    )
    shown = " ".join(
        s.replacement or s.text for s in sentences if s.status is not SentenceStatus.UNSUPPORTED
    )
    return Explanation(
        text=shown,
        sentences=sentences,
        raw_text=" ".join(s.text for s in sentences),
        backend="llama-cpp",
        prompt=PROMPT,
        seconds=3.4,
        first_token_seconds=0.8,
    )
