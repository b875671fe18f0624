"""Made-up cases for training the narrator: evidence over all bands, qualities, regions and origins.

Every fact is made by the same code that makes it in an analysis, so that a training text composed
from it is true by construction. The numbers are drawn; only the pictures are real.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import numpy as np

from assistant.evidence import (
    ChangeFact,
    CueFact,
    DomainFact,
    EffectFact,
    FramesFact,
    NoCueFact,
    SmallestSetFact,
    SpreadFact,
    build_evidence,
)
from assistant.types import (
    REGIONS,
    BaseRate,
    CropSpec,
    Evidence,
    Face,
    Fact,
    Media,
    Missed,
    ProvenanceNote,
    QualityIssue,
    QualityNote,
    RegionFinding,
    Score,
    TrackRecord,
    Verdict,
)

__all__ = ["made_up_evidence"]

_AREA = {"forehead": 0.14, "jaw": 0.12, "mouth": 0.08, "nose": 0.08, "background": 0.3}
_QUALITY = {
    QualityIssue.SMALL: ((20, 79), 80.0, "px"),
    QualityIssue.BLURRED: ((2, 24), 25.0, ""),
    QualityIssue.TURNED: ((31, 70), 30.0, "°"),
    QualityIssue.DARK: ((8, 49), 50.0, ""),
    QualityIssue.BRIGHT: ((226, 250), 225.0, ""),
    QualityIssue.CUT_OFF: ((6, 40), 5.0, "%"),
    QualityIssue.COMPRESSED: ((10, 39), 40.0, ""),
}
_ORIGINS: tuple[tuple[Literal["c2pa", "editor", "generator", "camera"], tuple[str, ...]], ...] = (
    ("editor", ("Adobe Photoshop 25.1", "GIMP 2.10", "Snapseed 2.0", "")),
    ("generator", ("Stable Diffusion XL", "Midjourney 6", "")),
    ("camera", ("Canon EOS R6", "Pixel 8", "iPhone 14 Pro")),
    ("c2pa", ("Adobe Firefly", "Leica M11-P", "")),
)
# cue, quantity, unit, places, whether it can be seen
_CUES = (
    ("mouth-sharpness", "fine detail", "times", ("mouth", "eyes, brows and nose"), True),
    ("face-detail", "fine detail", "times", ("face", "picture around it"), True),
    ("mouth-detail", "fine detail", "times", ("mouth", "skin of the face"), True),
    ("edge-detail", "fine detail", "times", ("edge of the face", "face inside it"), True),
    ("skin-noise", "grain", "times", ("skin of the face", "picture around it"), True),
    ("rim-colour", "colour", "units of colour", ("rim of the face", "middle of the face"), True),
    ("neck-colour", "colour", "units of colour", ("neck", "face"), True),
    ("spectrum", "fine structure", "dB", ("fine structure of it", "middle structure of it"), False),
)  # fmt: skip
_KINDS = ("face swaps", "edited faces", "faces drawn by diffusion", "manipulated faces")
_FAMILIES = (
    "edited faces",
    "face swaps",
    "portraits by GANs",
    "portraits by diffusion models",
    "reenactment",
)
_NOT_JUDGED = (
    "the face is too small",
    "the face is blurred",
    "the face is turned away",
    "the picture is strongly compressed",
)
_CHANGES = (
    "JPEG quality 90",
    "JPEG quality 70",
    "JPEG quality 50",
    "half size",
    "slight blur",
    "mirroring",
    "a shift to the left",
    "a closer crop",
)


def made_up_evidence(rng: random.Random) -> Evidence:
    """One case; all its numbers come from ``rng``."""
    score = _score(rng)
    regions = _regions(rng)
    face = Face(
        media_id=f"{rng.getrandbits(64):016x}",
        index=0,
        frame_index=0,
        box_xyxy=(0.0, 0.0, 100.0, 100.0),
        landmarks=np.zeros((5, 2), np.float32),
        crop=np.zeros((8, 8, 3), np.uint8),
        crop_spec=CropSpec(),
        matrix=np.eye(2, 3),
        confidence=0.9,
        quality=_quality(rng),
    )
    frame = np.zeros((8, 8, 3), np.uint8)
    media = Media(
        id=face.media_id,
        kind="image",
        frames=(frame,),
        width=8,
        height=8,
        provenance=_origin(rng),
    )
    share = rng.choice((None, rng.uniform(0.2, 0.7)))
    extra = [*_cues(rng), *_extra(rng, score, regions)]
    return build_evidence(face, score, regions, media, extra, _record(rng), share)


def _score(rng: random.Random) -> Score:
    bands = ((0.4, 0.72), (0.396, 0.718), (0.3, 0.7), (0.25, 0.75), (0.2, 0.6), (0.35, 0.8))
    lower, upper = rng.choice(bands)
    band = rng.choice(("low", "middle", "high"))
    low, high = {"low": (0.002, lower), "middle": (lower, upper), "high": (upper, 0.998)}[band]
    probability = rng.uniform(low, high)
    width = rng.choice((0.03, 0.08, 0.15, 0.2, 0.3)) * rng.uniform(0.6, 1.2)
    share = rng.uniform(0.3, 0.7)
    return Score(
        logit=0.0,
        probability=probability,
        interval=(
            max(0.0, probability - width * share),
            min(1.0, probability + width * (1 - share)),
        ),
        verdict=_verdict(probability, (lower, upper)),
        thresholds=(lower, upper),
        detector="clip-ln",
        calibrator="made-up",
        weights_sha256="0" * 64,
    )


def _verdict(probability: float, thresholds: tuple[float, float]) -> Verdict:
    if probability < thresholds[0]:
        return Verdict.NO_SIGN
    return Verdict.LIKELY_MANIPULATED if probability >= thresholds[1] else Verdict.UNCERTAIN


def _regions(rng: random.Random) -> tuple[RegionFinding, ...]:
    if rng.random() < 0.04:
        return ()
    out = set(rng.sample(REGIONS, rng.choice((0, 1, 1, 2, 2, 3))))
    found = []
    for region in REGIONS:
        area = _AREA.get(region, 0.06) * rng.uniform(0.8, 1.2)
        lift = rng.uniform(1.4, 3.6) if region in out else rng.uniform(0.3, 1.6)
        share = min(0.95, area * lift)
        found.append(
            RegionFinding(
                region=region, share=share, area=area, lift=share / area, stands_out=region in out
            )
        )
    return tuple(found)


def _quality(rng: random.Random) -> tuple[QualityNote, ...]:
    notes = []
    for issue in rng.sample(list(_QUALITY), rng.choice((0, 0, 1, 1, 2))):
        (low, high), limit, unit = _QUALITY[issue]
        value = float(rng.randint(low, high))
        notes.append(QualityNote(issue=issue, value=value, limit=limit, unit=unit))
    return tuple(notes)


def _origin(rng: random.Random) -> tuple[ProvenanceNote, ...]:
    if rng.random() < 0.6:
        return ()
    kind, names = rng.choice(_ORIGINS)
    return (ProvenanceNote(kind=kind, value=rng.choice(names)),)


def _record(rng: random.Random) -> TrackRecord:
    """How a detector might have done on sources left out."""
    missed = []
    for family in rng.sample(_FAMILIES, rng.choice((1, 2, 3))):
        share = rng.uniform(0.01, 0.4)
        caught = rng.uniform(0, 1 - share) if rng.random() < 0.7 else None
        missed.append(
            Missed(
                family=family,
                missed=share,
                low=share / 2,
                high=min(1.0, 2 * share),
                pictures=200,
                sources=4,
                caught=caught,
            )
        )
    return TrackRecord(unseen=rng.random() < 0.7, misses=tuple(missed))


def _cues(rng: random.Random) -> list[Fact]:
    """One or two cues that speak, or that none does, or why none was judged."""
    draw = rng.random()
    if draw < 0.35:
        return [NoCueFact(id="V1", judged=5)]
    if draw < 0.5:
        return [NoCueFact(id="V1", judged=0, not_judged=(("spectrum", rng.choice(_NOT_JUDGED)),))]
    found: list[Fact] = []
    for name, quantity, unit, places, visible in rng.sample(_CUES, rng.choice((1, 1, 2))):
        value = rng.choice((rng.uniform(0.2, 0.7), rng.uniform(1.5, 3))) if unit == "times" else 0
        genuine = rng.uniform(0.0, 0.05)
        found.append(
            CueFact(
                id=f"V{len(found) + 1}",
                cue_name=name,
                quantity=quantity,
                value=value or rng.uniform(2, 20),
                unit=unit,
                places=places,
                boxes=((0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)),
                genuine=_rate(genuine),
                manipulated=_rate(rng.uniform(genuine + 0.05, 0.5)),
                visible=visible,
                of_kind=rng.choice(_KINDS),
            )
        )
    return found


def _rate(share: float) -> BaseRate:
    return BaseRate(share=share, low=share / 2, high=min(1.0, share * 2 + 0.02), faces=300)


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))


def _extra(rng: random.Random, score: Score, regions: Sequence[RegionFinding]) -> list[Fact]:
    extra: list[Fact] = []
    p = score.probability
    if rng.random() < 0.08:
        spread = [
            min(1.0, max(0.0, p + rng.uniform(-0.2, 0.2))) for _ in range(rng.choice((8, 32)))
        ]
        extra.append(FramesFact.of(spread))
    faces = [r for r in regions if r.region != "background"]
    number = 0
    if faces and rng.random() < 0.7:
        chosen = sorted(faces, key=lambda r: -r.share)[: rng.choice((1, 2))]
        for finding in chosen:
            number += 1
            matters = rng.random() < 0.6
            change = rng.uniform(0.05, 0.5) if matters else rng.uniform(0.0, 0.03)
            after = _clipped(p + change * rng.choice((-1, -1, 1)))
            extra.append(
                EffectFact(
                    id=f"C{number}",
                    region=finding.region,
                    before=p,
                    after=after,
                    matters=matters,
                    stands_out=finding.stands_out,
                    verdict=score.verdict,
                    verdict_after=_verdict(after, score.thresholds),
                    control=rng.uniform(0.0, 0.02),
                    control_n=8,
                )
            )
        if rng.random() < 0.3:
            names = [finding.region for finding in chosen]
            other = score.thresholds[0] * rng.uniform(0.3, 0.9)
            flips = score.verdict is Verdict.LIKELY_MANIPULATED and rng.random() < 0.6
            extra.append(
                SmallestSetFact(
                    id=f"C{number + 1}",
                    regions=tuple(names) if flips else (),
                    after=other if flips else p,
                    verdict_after=_verdict(other if flips else p, score.thresholds),
                    tried=tuple(names),
                )
            )
    if rng.random() < 0.4:
        changes = []
        for name in rng.sample(_CHANGES, rng.choice((3, 4, 5))):
            after = _clipped(p + rng.gauss(0, 0.1))
            changes.append((name, after, _verdict(after, score.thresholds)))
        extra.append(SpreadFact.of("F1", score.verdict, changes))
        extra += [
            ChangeFact(
                id=f"F{number}",
                change=name,
                before=p,
                probability=after,
                verdict=score.verdict,
                verdict_after=verdict,
            )
            for number, (name, after, verdict) in enumerate(changes, 2)
        ]
    if rng.random() < 0.5:
        distance = rng.uniform(0.3, 1.6)
        extra.append(DomainFact(id="D1", inside=distance <= 1, distance=distance, limit=1.0))
    return extra
