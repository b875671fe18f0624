"""Working fakes of the measuring stages, for tests, demos of the page and plugin authors.

They are public, fast and deterministic. Whatever they reach must say "demo, not an analysis"
(:attr:`assistant.pipeline.Assistant.demo`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from assistant.cues import FaceWindow
from assistant.cues.cue import Reading, compared
from assistant.interfaces import Detector, VlmBackend
from assistant.types import (
    Attribution,
    Calibrated,
    CropSpec,
    Detection,
    Image,
    QualityIssue,
    Trace,
    Verdict,
)

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

__all__ = [
    "BrightnessCue",
    "BrightnessDetector",
    "FlatCalibrator",
    "MouthMap",
    "SkinFaceFinder",
    "demo_assistant",
]


class BrightnessCue:
    """Compares the brightness of both halves of a picture: a cue whose reading is easy to plant."""

    name: ClassVar[str] = "brightness"
    sign: ClassVar[int] = 1
    visible: ClassVar[bool] = True
    gates: ClassVar[frozenset[QualityIssue]] = frozenset()

    def measure(self, window: FaceWindow) -> Reading:
        """Times as bright on the left as on the right."""
        height, width = window.image.shape[:2]
        left = np.zeros((height, width), bool)
        left[:, : width // 2] = True
        value = (window.grey[left].mean() + 1.0) / (window.grey[~left].mean() + 1.0)
        sides = ("left half", left), ("right half", ~left)
        return compared(self, window, float(value), *sides, quantity="brightness")


class SkinFaceFinder:
    """Calls every orange-to-pink blob of some size a face: enough for drawn test faces."""

    name = "skin"

    def find(self, image: Image) -> tuple[Detection, ...]:
        """One detection a blob, largest first, with the five points where the template has them."""
        import cv2

        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        skin = ((hsv[..., 0] < 20) & (hsv[..., 1] > 60) & (hsv[..., 2] > 120)).astype(np.uint8)
        closed = cv2.morphologyEx(skin, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(closed)
        found = []
        for x, y, w, h, area in stats[1:count]:
            if min(w, h) >= 24 and area > 0.5 * w * h:
                points = np.array(
                    [[0.32, 0.4], [0.68, 0.4], [0.5, 0.6], [0.36, 0.77], [0.64, 0.77]]
                )
                found.append(
                    Detection(
                        box_xyxy=(float(x), float(y), float(x + w), float(y + h)),
                        landmarks=(points * [w, h] + [x, y]).astype(np.float32),
                        confidence=0.99,
                    )
                )
        return tuple(sorted(found, key=lambda d: d.box_xyxy[0]))

    def provenance(self) -> Mapping[str, str]:
        """A fake has no model file."""
        return {"model": "none (demo)"}


class BrightnessDetector:
    """Scores a crop by its mean brightness: bright is 'manipulated'. Says nothing about forgery."""

    name = "brightness-demo"
    crop_spec = CropSpec(size=224, scale=0.95, shift_y=-0.13)
    weights_sha256 = hashlib.sha256(b"brightness-demo").hexdigest()

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """(mean brightness - 128) / 16, one a crop."""
        return np.array([(float(crop.mean()) - 128.0) / 16.0 for crop in crops], np.float64)

    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """A trace that holds the score alone."""
        return Trace(logit=float(self.logits([crop])[0]), layers=(), grid=(16, 16))

    def provenance(self) -> Mapping[str, str]:
        """A fake has no weights."""
        return {"model": "none (demo)"}


class FlatCalibrator:
    """A plain logistic curve with an interval of +-10 points."""

    name = "logistic-demo"
    thresholds = (0.35, 0.65)

    def calibrate(self, logit: float) -> Calibrated:
        """Sigmoid of the logit."""
        p = 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit))))
        low, high = self.thresholds
        verdict = (
            Verdict.NO_SIGN
            if p < low
            else Verdict.LIKELY_MANIPULATED
            if p >= high
            else Verdict.UNCERTAIN
        )
        return Calibrated(
            probability=p, interval=(max(0.0, p - 0.1), min(1.0, p + 0.1)), verdict=verdict
        )


class MouthMap:
    """Always points to the lower middle of the crop."""

    name = "mouth-demo"
    class_specific = False

    def attribute(self, detector: Detector, crop: Image, trace: Trace | None = None) -> Attribution:
        """A Gaussian around the mouth of the aligned crop."""
        height, width = crop.shape[:2]
        y, x = np.mgrid[0:height, 0:width] / max(height - 1, 1)
        heat = np.exp(-(((x - 0.5) / 0.18) ** 2 + ((y - 0.7) / 0.1) ** 2))
        return Attribution(
            method=self.name, map=heat.astype(np.float32), grid=(16, 16), class_specific=False
        )


def demo_assistant(
    vlm: VlmBackend | None = None, *, finder: object | None = None, **options: object
) -> Assistant:
    """An assistant made of fakes (and the template narrator unless ``vlm`` is given).

    ``options`` go to :class:`assistant.pipeline.Assistant` (``limits``, ``causal``, ...).
    """
    from assistant.narrator import Narrator
    from assistant.pipeline import Assistant
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir
    from assistant.scoring import Scorer
    from assistant.streaming import StreamLimits
    from assistant.vlm.template import TemplateBackend

    fallback = TemplateBackend()
    stream_limits = options.pop("stream_limits", None)
    narrator = Narrator(
        vlm=vlm or fallback,
        fallback=fallback,
        prompts=PromptLibrary(resource_dir("prompts")),
        limits=stream_limits if isinstance(stream_limits, StreamLimits) else None,
    )
    return Assistant(
        finder=finder or SkinFaceFinder(),  # type: ignore[arg-type]
        scorer=Scorer(detector=BrightnessDetector(), calibrator=FlatCalibrator()),
        attributor=MouthMap(),
        narrator=narrator,
        demo=True,
        **options,  # type: ignore[arg-type]
    )
