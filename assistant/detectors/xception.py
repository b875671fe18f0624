"""Xception, the classic of FaceForensics++, through timm."""

from __future__ import annotations

from assistant.detectors.cnn import CnnDetector

__all__ = ["XceptionDetector"]


class XceptionDetector(CnnDetector):
    """Every layer is trained."""

    name = "xception"
    citation = (
        "Chollet: Xception, CVPR 2017 (arXiv 1610.02357); as a detector: Roessler et al.: "
        "FaceForensics++, ICCV 2019 (arXiv 1901.08971)"
    )
    reported = "FF++ c40 0.826, DFDC 0.708 (trained on FF++; DeepfakeBench)"
    timm_model = "legacy_xception"
