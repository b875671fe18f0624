"""SqueezeNet 1.1 through torchvision: under three megabytes, for phones."""

from __future__ import annotations

from torch import nn

from assistant.detectors.cnn import CnnDetector, CnnOptions

__all__ = ["SqueezeNetDetector"]


class SqueezeNetDetector(CnnDetector):
    """Every layer is trained."""

    name = "squeezenet"
    citation = "Iandola et al.: SqueezeNet, 2016 (arXiv 1602.07360)"

    @classmethod
    def backbone(cls, options: CnnOptions) -> tuple[nn.Module, int]:
        """Its feature layers; the fire modules end in 512 maps."""
        from torchvision.models import squeezenet1_1

        return squeezenet1_1(weights=None).features, 512
