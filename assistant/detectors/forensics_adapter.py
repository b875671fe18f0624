"""Forensics Adapter: a small network beside frozen CLIP looks for blending boundaries.

It reads the tower's patches, is told where faces were blended, and tells the upper blocks' class
token which patches to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.clip_pair import ClipOptions, ClipPair, TracedClipPlugin, load_pair
from assistant.detectors.clip_probe import ClipProbeDetector, Probe
from assistant.detectors.plugin import Files, Recipe
from assistant.detectors.tower import attention_probabilities, run_block, run_block_from_attention

__all__ = ["ForensicsAdapterDetector"]


class AdapterOptions(ClipOptions):
    """``adapter_width`` and ``adapter_layers`` of the side network."""

    adapter_width: int = Field(default=64, ge=16, le=512)
    adapter_layers: int = Field(default=2, ge=1, le=8)


class _Sided(nn.Module):
    def __init__(self, pair: ClipPair, options: AdapterOptions) -> None:
        super().__init__()
        self.pair = pair
        self.base_sha256 = pair.key
        width, patch = options.adapter_width, pair.layout.patch_size
        self.middle = pair.depth // 2
        self.stem = nn.Conv2d(3, width, patch, patch)
        self.from_tower = nn.Linear(pair.layout.width, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, options.adapter_layers, enable_nested_tensor=False
        )
        self.boundary = nn.Linear(width, 1)
        self.look = nn.Linear(width, 1)
        self.linear = Probe(pair).linear
        self.own = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.own.weight)
        nn.init.zeros_(self.look.weight)
        nn.init.zeros_(self.look.bias)

    def probe(self) -> Probe:
        """The linear layer on the tower as it was: what training begins with."""
        return Probe(self.pair, self.linear)

    def both(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """B logits, and B x rows x columns logits of a blending boundary."""
        pair = self.pair
        tokens, outputs = pair.embed(pixels), []
        blocks = pair.visual.transformer.resblocks
        with torch.no_grad():
            for block in blocks[: self.middle]:
                tokens = run_block(block, tokens)
                outputs.append(tokens)
        own = self.stem(pixels - 0.5).flatten(2).mT + self.from_tower(tokens[:, 1:])
        own = self.layers(own)
        bias = torch.cat([own.new_zeros(len(own), 1), self.look(own)[..., 0]], dim=1)
        for block in blocks[self.middle : pair.depth]:
            kept, value = attention_probabilities(block, tokens)
            first = torch.softmax(kept[:, :, :1].clamp_min(1e-9).log() + bias[:, None, None], -1)
            tokens = run_block_from_attention(
                block, tokens, torch.cat([first, kept[:, :, 1:]], dim=2), value
            )
            outputs.append(tokens)
        logits = self.probe().head(pair.feature_of(outputs)) + self.own(own.mean(1))[:, 0]
        rows, columns = pair.layout.grid
        return logits, self.boundary(own).view(-1, rows, columns)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.both(pixels)[0]


class ForensicsAdapterDetector(TracedClipPlugin):
    """A side network that points at blending boundaries."""

    name = "forensics-adapter"
    citation = (
        "Cui et al.: Forensics Adapter: Adapting CLIP for Generalizable Face Forgery Detection, "
        "CVPR 2025 (arXiv 2411.19715)"
    )
    reported = "CDFv2 0.900, DFDC 0.843 (frames, CLIP ViT-L/14)"
    Options = AdapterOptions
    recipe = Recipe(
        epochs=3,
        learning_rate=3e-4,
        decay=1e-2,
        batch=8,
        fakes="self-blended",
        first=ClipProbeDetector.recipe,
    )

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The pair with its side network."""
        return _Sided(load_pair(options, files), options)

    @classmethod
    def loss(
        cls, forward: Callable[[Tensor], Tensor], values: Tensor, labels: Tensor, masks: Tensor
    ) -> Tensor:
        """Cross-entropy of the face and of the boundary: where a blend is neither 0 nor 1."""
        logits, boundary = forward.both(values)  # type: ignore[attr-defined]
        told = functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
        edge = functional.adaptive_avg_pool2d(4 * masks * (1 - masks), boundary.shape[1:])
        place = functional.binary_cross_entropy_with_logits(boundary, edge.clamp(0, 1))
        return told + place
