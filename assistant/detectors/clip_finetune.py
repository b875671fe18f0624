"""The full fine-tuning of "CLIPping the Deception": both towers tuned, texts as classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from assistant.detectors.clip_adapter import CLASS_TEXTS
from assistant.detectors.clip_pair import ClipOptions, ClipPair, TracedClipPlugin, load_pair
from assistant.detectors.clip_probe import CLIPPING
from assistant.detectors.plugin import Files, Recipe

__all__ = ["ClipFinetuneDetector"]


class FinetuneOptions(ClipOptions):
    """``blocks``: how many of the picture tower's last blocks are tuned; 0: all of them."""

    blocks: int = 0


class _Tuned(nn.Module):
    def __init__(self, pair: ClipPair, options: FinetuneOptions) -> None:
        super().__init__()
        self.pair = pair
        self.base_sha256 = pair.key
        first = pair.depth - options.blocks if options.blocks else 0
        pair.visual.transformer.resblocks[first : pair.depth].requires_grad_(True)
        if not pair.blocks:
            pair.visual.ln_post.requires_grad_(True)
        pair.text.requires_grad_(True)
        self.projection = nn.Parameter(pair.projection.clone())
        self.first = first

    def forward(self, pixels: Tensor) -> Tensor:
        tokens = self.pair.embed(pixels)
        feature = self.pair.feature_of(self.pair.blocks_of(tokens))
        joint = nn.functional.normalize(feature @ self.projection, dim=-1)
        texts = self.pair.encode_texts(CLASS_TEXTS)
        logits: Tensor = self.pair.scale * joint @ (texts[1] - texts[0])
        return logits


class ClipFinetuneDetector(TracedClipPlugin):
    """Both towers, tuned."""

    name = "clip-finetune"
    citation = CLIPPING
    Options = FinetuneOptions
    recipe = Recipe(epochs=2, learning_rate=1e-5, decay=0.01, batch=8)

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The pair, with what is tuned unlocked."""
        with torch.no_grad():
            pair = load_pair(options, files)
        return _Tuned(pair, options)
