"""Self-blended images: a network that sees no fake but genuine faces blended with themselves."""

from __future__ import annotations

from assistant.detectors.efficientnet_lite0 import EfficientLite0Detector, LiteOptions
from assistant.detectors.plugin import Recipe

__all__ = ["SbiDetector"]


class SbiDetector(EfficientLite0Detector):
    """EfficientNet-Lite0 on self-blended faces (the paper: EfficientNet-B4)."""

    name = "sbi"
    citation = (
        "Shiohara, Yamasaki: Detecting Deepfakes with Self-Blended Images, CVPR 2022 "
        "(arXiv 2204.08376)"
    )
    reported = "CDFv2 0.932, DFDC 0.724 (videos, EfficientNet-B4)"
    Options = LiteOptions
    recipe = Recipe(epochs=4, learning_rate=1e-3, decay=1e-2, batch=16, fakes="self-blended")
