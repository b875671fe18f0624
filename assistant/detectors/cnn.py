"""What the convolutional plugins share: a backbone of timm or torchvision with one logit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from assistant.detectors.frozen import FrozenFeatures
from assistant.detectors.plugin import (
    Files,
    PluginOptions,
    Recipe,
    TrainedDetector,
    refuse_layers,
    trace_of,
)
from assistant.errors import WeightsError
from assistant.types import Image, Trace
from assistant.weights.store import file_sha256

__all__ = ["CnnDetector", "CnnOptions"]


class CnnOptions(PluginOptions):
    """``start``: a file of the backbone's ImageNet weights; ``tune``: the head alone, or all."""

    start: Path | None = None
    tune: Literal["head", "all"] = "all"


class _Cnn(FrozenFeatures):
    """Pixels to pooled features to one logit; ``layer`` is the last one with places (Grad-CAM)."""

    mean: Tensor
    std: Tensor
    #: Whether the backbone starts without weights of another task.
    from_nothing: bool = False

    def __init__(self, backbone: nn.Module, width: int, tune: str, key: str) -> None:
        super().__init__()
        self.backbone = backbone
        self.linear = nn.Linear(width, 1)
        self.tune = tune
        self.feature_key = key
        self.register_buffer(
            "mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False
        )
        self.register_buffer(
            "std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False
        )
        if tune == "head":
            backbone.requires_grad_(False)

    def maps(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S in [0, 1] to the last maps, B x C x H x W."""
        found: Tensor = self.backbone((pixels - self.mean) / self.std)
        return found

    def features(self, pixels: Tensor) -> Tensor:
        """B x C: the means of the last maps."""
        return self.maps(pixels).mean((2, 3))

    def head(self, features: Tensor) -> Tensor:
        """B logits."""
        logits: Tensor = self.linear(features)[:, 0]
        return logits

    def forward(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S in [0, 1] to B logits."""
        return self.head(self.features(pixels))

    def train(self, mode: bool = True) -> _Cnn:
        """A frozen backbone never leaves evaluation."""
        super().train(mode)
        if self.tune == "head":
            self.backbone.eval()
        return self


class _WholeCnn(nn.Module):
    """The same, all of it trained: no frozen features to keep."""

    def __init__(self, inner: _Cnn) -> None:
        super().__init__()
        self.inner = inner

    @property
    def from_nothing(self) -> bool:
        """The inner network's."""
        return self.inner.from_nothing

    def maps(self, pixels: Tensor) -> Tensor:
        """The last maps."""
        return self.inner.maps(pixels)

    def head(self, features: Tensor) -> Tensor:
        """B logits."""
        return self.inner.head(features)

    def forward(self, pixels: Tensor) -> Tensor:
        """B logits."""
        logits: Tensor = self.inner(pixels)
        return logits


class CnnDetector(TrainedDetector):
    """A backbone and one logit; subclasses name the backbone."""

    #: Its trace is of maps, for Grad-CAM.
    has_maps = True

    Options = CnnOptions
    recipe = Recipe(epochs=4, learning_rate=3e-4, decay=1e-2, batch=16)
    timm_model: ClassVar[str] = ""
    #: Name in the weights manifest of the backbone's ImageNet weights, where there are any.
    start: ClassVar[str] = ""

    @classmethod
    def backbone(cls, options: CnnOptions) -> tuple[nn.Module, int]:
        """The network up to its last maps, and how many there are."""
        import timm

        made: Any = timm.create_model(
            cls.timm_model, pretrained=False, num_classes=0, global_pool=""
        )
        return made, int(made.num_features)

    @classmethod
    def converted(cls, state: Mapping[str, Tensor], backbone: nn.Module) -> dict[str, Tensor]:
        """ImageNet weights under the backbone's names; its classifier is left out."""
        return {k: v for k, v in state.items() if k in backbone.state_dict()}

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The backbone, from ImageNet where a file is there, and a head that starts at zero."""
        backbone, width = cls.backbone(options)
        backbone.eval()
        key = ""
        start = options.start or (files.locate(cls.start) if cls.start and files.starting else None)
        if start is not None:
            _fill(backbone, cls, start)
            key = f"{cls.name}-{file_sha256(start)[:16]}"
        network = _Cnn(backbone, width, options.tune, key)
        nn.init.zeros_(network.linear.bias)
        network.from_nothing = start is None
        return network if options.tune == "head" else _WholeCnn(network)

    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """The last maps as tokens, and the logit's gradient with respect to them.

        Raises:
            InferenceError: attention was asked for.
        """
        refuse_layers(self.name, layers)
        network: Any = self.network.eval()
        with torch.no_grad():
            maps = network.maps(self.pixels([crop]))
        tokens = maps.flatten(2).mT.clone().requires_grad_()
        with torch.enable_grad():
            logit = network.head(tokens.mean(1))
            return trace_of(logit, tokens, (maps.shape[2], maps.shape[3]), prefix=0)


def _fill(backbone: nn.Module, cls: type[CnnDetector], start: Path) -> None:
    try:
        if start.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(start)
        else:
            state = torch.load(start, map_location="cpu", weights_only=True)
        backbone.load_state_dict(cls.converted(state, backbone), strict=True)
    except Exception as error:
        raise WeightsError(
            f"{start.name} does not hold the backbone of {cls.name}: {str(error)[:200]}",
            hint="Use weights of this architecture, or leave `start` out.",
            code="weights-shape",
        ) from error
