"""The prompt tuning of "CLIPping the Deception" (CoOp): learned context words before a class word.

Zhou et al., "Learning to Prompt for Vision-Language Models" (arXiv 2109.01134).
"""

from __future__ import annotations

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from assistant.detectors.clip_pair import (
    ClipOptions,
    ClipPair,
    PairHead,
    TracedClipPlugin,
    load_pair,
)
from assistant.detectors.clip_probe import CLIPPING
from assistant.detectors.plugin import Files, Recipe

__all__ = ["ClipCoopDetector"]


class CoopOptions(ClipOptions):
    """``context``: learned words, the same for both classes; ``words``: of the classes."""

    context: int = Field(default=16, ge=1, le=24)
    words: tuple[str, str] = ("real", "fake")


class _Prompts(PairHead):
    start: Tensor
    rest: Tensor
    ends: Tensor

    def __init__(self, pair: ClipPair, options: CoopOptions) -> None:
        super().__init__(pair)
        with torch.no_grad():
            words, ends = pair.words(options.words)
        count = options.context
        spread = float(words.std())
        self.context = nn.Parameter(torch.randn(count, pair.word_width) * spread)
        room = words.shape[1] - count
        self.register_buffer("start", words[:, :1], persistent=False)
        self.register_buffer("rest", words[:, 1:room], persistent=False)
        self.register_buffer("ends", ends + count, persistent=False)

    def head(self, features: Tensor) -> Tensor:
        """B logits: how much nearer the picture is to the learned manipulated prompt."""
        context = self.context.expand(2, -1, -1)
        texts = self.pair.encode_words(torch.cat([self.start, context, self.rest], 1), self.ends)
        logits: Tensor = self.pair.scale * self.pair.joint(features) @ (texts[1] - texts[0])
        return logits


class ClipCoopDetector(TracedClipPlugin):
    """Learned words on a frozen pair."""

    name = "clip-coop"
    citation = CLIPPING
    reported = "21 sets: mAP 5.0 points above the best before"
    Options = CoopOptions
    recipe = Recipe(learning_rate=2e-2, decay=0.0, batch=64)

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The learned words before the text tower."""
        return _Prompts(load_pair(options, files), options)
