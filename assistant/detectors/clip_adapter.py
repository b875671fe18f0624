"""The adapter of "CLIPping the Deception": a bottleneck behind the picture tower, texts as classes.

Gao et al., "CLIP-Adapter" (arXiv 2110.04544): the adapted feature is mixed with the old one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.clip_pair import (
    ClipOptions,
    ClipPair,
    PairHead,
    TracedClipPlugin,
    load_pair,
)
from assistant.detectors.clip_probe import CLIPPING
from assistant.detectors.plugin import Files, Recipe

__all__ = ["CLASS_TEXTS", "ClipAdapterDetector"]

#: What stands for each class where the words are not learned: genuine, manipulated.
CLASS_TEXTS = ("a real photo of a person", "a fake photo of a person")


class AdapterOptions(ClipOptions):
    """``reduction``: the bottleneck's; ``ratio``: the share of what was adapted."""

    reduction: int = 4
    ratio: float = 0.2


class _Adapter(PairHead):
    texts: Tensor

    def __init__(self, pair: ClipPair, options: AdapterOptions) -> None:
        super().__init__(pair)
        width = pair.joint_width
        self.ratio = options.ratio
        self.down = nn.Linear(width, width // options.reduction, bias=False)
        self.up = nn.Linear(width // options.reduction, width, bias=False)
        with torch.no_grad():
            texts = pair.encode_texts(CLASS_TEXTS)
        self.register_buffer("texts", texts, persistent=False)

    def head(self, features: Tensor) -> Tensor:
        """B logits: how much nearer the adapted picture is to the manipulated text."""
        joint = self.pair.joint(features)
        adapted = functional.relu(self.up(functional.relu(self.down(joint))))
        mixed = functional.normalize(self.ratio * adapted + (1 - self.ratio) * joint, dim=-1)
        logits: Tensor = self.pair.scale * mixed @ (self.texts[1] - self.texts[0])
        return logits


class ClipAdapterDetector(TracedClipPlugin):
    """A bottleneck on a frozen pair."""

    name = "clip-adapter"
    citation = CLIPPING
    Options = AdapterOptions
    recipe = Recipe(learning_rate=2e-3, decay=0.01, batch=64)

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The adapter on the pair's joint space."""
        return _Adapter(load_pair(options, files), options)
