"""EfficientNet-Lite0: a few megabytes, for phones, with a start from ImageNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

from assistant.detectors.cnn import CnnDetector, CnnOptions
from assistant.detectors.plugin import Recipe

__all__ = ["EfficientLite0Detector", "LiteOptions", "lite_names"]


class LiteOptions(CnnOptions):
    """The head alone unless told otherwise: that is what a few minutes on a CPU can train."""

    tune: Literal["head", "all"] = "head"


def lite_names(state: Mapping[str, Tensor], backbone: nn.Module) -> dict[str, Tensor]:
    """The published package's tensors under timm's names: the same layers in the same order."""
    values = [v for k, v in state.items() if not k.startswith("_fc.")]
    return dict(zip(backbone.state_dict(), values, strict=True))


class EfficientLite0Detector(CnnDetector):
    """A linear layer on EfficientNet-Lite0, or all of it."""

    name = "efficientnet-lite0"
    citation = (
        "Liu: Higher accuracy on vision models with EfficientNet-Lite, 2020; Tan, Le: "
        "EfficientNet, ICML 2019 (arXiv 1905.11946)"
    )
    Options = LiteOptions
    recipe = Recipe(learning_rate=1e-3, decay=0.1, batch=32)
    timm_model = "tf_efficientnet_lite0"
    start = "efficientnet-lite0"

    @classmethod
    def converted(cls, state: Mapping[str, Tensor], backbone: nn.Module) -> dict[str, Tensor]:
        """See :func:`lite_names`."""
        return lite_names(state, backbone)
