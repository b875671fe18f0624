"""Several detectors as one: the mean of what they say, or weights fitted on another split."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from assistant import registry
from assistant.detectors.frozen import FrozenFeatures
from assistant.detectors.plugin import (
    Files,
    PluginOptions,
    Recipe,
    TrainedDetector,
    checked_options,
)
from assistant.detectors.plugin_file import read_header
from assistant.errors import ConfigError
from assistant.interfaces import Detector
from assistant.types import NOT_FITTED, Image, Opinion, Reading

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["EnsembleDetector"]

_EDGE = 1e-4


class EnsembleOptions(PluginOptions):
    """``members``: names of detectors; ``mode``: ``mean``, or ``stacked`` with fitted weights."""

    members: tuple[str, ...] = Field(
        default=("clip-probe", "clip-coop", "efficientnet-lite0"), min_length=2
    )
    mode: Literal["mean", "stacked"] = "stacked"


class _Stack(FrozenFeatures):
    """Pixels to the members' log-odds, and their weighted sum."""

    def __init__(self, members: Sequence[Detector], mode: str) -> None:
        super().__init__()
        self.members = tuple(members)
        told = "".join(f"{m.name}{m.weights_sha256}" for m in self.members)
        self.base_sha256 = hashlib.sha256(told.encode()).hexdigest()
        self.feature_key = f"ensemble-{self.base_sha256[:16]}"
        count = len(self.members)
        self.weight = nn.Parameter(torch.full((count,), 1.0 / count))
        self.bias = nn.Parameter(torch.zeros(()))
        self.requires_grad_(mode == "stacked")

    def features(self, pixels: Tensor) -> Tensor:
        """B x members log-odds."""
        crops = [
            np.ascontiguousarray(p)
            for p in (pixels * 255).round().byte().permute(0, 2, 3, 1).numpy()
        ]
        return self.log_odds(self.probabilities(crops))

    def log_odds(self, probabilities: NDArray[np.float64]) -> Tensor:
        """Of what the members say."""
        return torch.from_numpy(np.log(probabilities / (1 - probabilities)).astype(np.float32))

    def probabilities(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """N x members, each by the curve that was fitted for it; plain logits by the sigmoid."""
        columns = []
        for member in self.members:
            logits = member.logits(crops)
            curve = getattr(member, "calibration", None)
            if curve is None:
                columns.append(1 / (1 + np.exp(-np.clip(logits, -30, 30))))
            else:
                columns.append(np.interp(logits, curve["logits"], curve["probability"]))
        return np.clip(np.stack(columns, axis=1), _EDGE, 1 - _EDGE)

    def head(self, features: Tensor) -> Tensor:
        """B logits."""
        logits: Tensor = features @ self.weight + self.bias
        return logits


class EnsembleDetector(TrainedDetector):
    """Members under one name; :meth:`read` tells who says what."""

    name = "ensemble"
    citation = "Wolpert: Stacked Generalization, Neural Networks 1992"
    Options = EnsembleOptions
    recipe = Recipe(epochs=60, learning_rate=2e-2, decay=1e-2, batch=32)

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The members, loaded by name.

        Raises:
            ConfigError: they want different crops, or one of them is the ensemble itself.
            WeightsError: a member was not trained yet.
        """
        if cls.name in options.members:
            raise ConfigError(
                "An ensemble cannot be a member of itself.",
                hint="Name other detectors in its members.",
                code="ensemble-members",
            )
        members = [files.member(name) for name in options.members]
        strange = [m.name for m in members if m.crop_spec != cls.crop_spec]
        if strange:
            raise ConfigError(
                f"{', '.join(strange)} cuts faces out in another way than the ensemble.",
                hint="Choose members that `whyfake train plugin` trains.",
                code="ensemble-crops",
            )
        return _Stack(members, options.mode)

    @classmethod
    def ready(cls, settings: Settings) -> bool:
        """As every trained detector; its members must be ready too.

        Raises:
            WeightsError: its file, or that of a member, is missing or of another detector.
        """
        header = read_header(settings.detector_weights or cls.home(settings), cls.name)
        options = checked_options(cls.name, EnsembleOptions, header.options)
        for name in options.members:
            kind = registry.load("detectors", name, plugins=settings.plugins)
            if hasattr(kind, "ready"):
                kind.ready(settings.model_copy(update={"detector": name, "detector_weights": None}))
        return header.calibration is not None

    def read(self, crops: Sequence[Image]) -> tuple[Reading, ...]:
        """As :meth:`logits`, with what each member says.

        Raises:
            InferenceError: a score is not finite.
        """
        network: Any = self.network
        said = network.probabilities(crops)
        with torch.no_grad():
            logits = network.head(network.log_odds(said)).double().numpy()
        return tuple(
            Reading(
                logit=float(logit),
                opinions=tuple(
                    Opinion(
                        detector=member.name,
                        value=float(value),
                        calibrated=_fitted(member),
                    )
                    for member, value in zip(network.members, row, strict=True)
                ),
            )
            for logit, row in zip(logits, said, strict=True)
        )


def _fitted(member: Detector) -> bool:
    """Whether what a member says is a probability."""
    values = getattr(member, "calibration", None)
    return values is not None and values["method"] not in NOT_FITTED
