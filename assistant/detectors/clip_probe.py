"""The linear probe of "CLIPping the Deception": a linear layer on frozen picture features."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from assistant.detectors.clip_pair import ClipPair, PairHead, TracedClipPlugin, load_pair
from assistant.detectors.plugin import Files, Recipe

__all__ = ["CLIPPING", "ClipProbeDetector", "Probe"]

CLIPPING = (
    "Khan, Dang-Nguyen: CLIPping the Deception: Adapting Vision-Language Models for Universal "
    "Deepfake Detection, ICMR 2024 (arXiv 2402.12927)"
)


class Probe(PairHead):
    """A linear layer, a new one that starts at zero or the given one, on a pair's features."""

    def __init__(self, pair: ClipPair, linear: nn.Linear | None = None) -> None:
        super().__init__(pair)
        self.linear = linear or nn.Linear(pair.feature_width, 1)
        if linear is None:
            nn.init.zeros_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def head(self, features: Tensor) -> Tensor:
        """B logits."""
        # features of length 1 need a steep layer
        logits: Tensor = self.linear(features)[:, 0] * (1.0 if self.pair.blocks else 100.0)
        return logits


class ClipProbeDetector(TracedClipPlugin):
    """A linear layer on a frozen tower."""

    name = "clip-probe"
    citation = CLIPPING
    recipe = Recipe(learning_rate=3e-4, decay=0.5, batch=64)

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The probe on the pair's features."""
        return Probe(load_pair(options, files))
