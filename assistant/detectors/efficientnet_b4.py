"""EfficientNet-B4, the backbone of most winners of the DFDC challenge, through timm."""

from __future__ import annotations

from assistant.detectors.cnn import CnnDetector

__all__ = ["EfficientNetB4Detector"]


class EfficientNetB4Detector(CnnDetector):
    """Every layer is trained."""

    name = "efficientnet-b4"
    citation = (
        "Tan, Le: EfficientNet, ICML 2019 (arXiv 1905.11946); as a detector: Bonettini et al.: "
        "Video Face Manipulation Detection Through Ensemble of CNNs, ICPR 2020 (arXiv 2004.07676)"
    )
    reported = "FF++ c40 0.815, DFDC 0.696 (trained on FF++; DeepfakeBench)"
    timm_model = "efficientnet_b4"
