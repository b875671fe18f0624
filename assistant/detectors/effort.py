"""Effort: attention weights split by SVD; what they know is kept, one small direction is tuned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from assistant.detectors.clip_pair import ClipOptions, ClipPair, TracedClipPlugin, load_pair
from assistant.detectors.clip_probe import ClipProbeDetector, Probe
from assistant.detectors.plugin import Files, Recipe

__all__ = ["EffortDetector", "Residual"]


class EffortOptions(ClipOptions):
    """``directions``: singular directions that are tuned, the smallest ones."""

    directions: int = Field(default=1, ge=1, le=64)


class Residual(nn.Module):
    """A weight as its frozen main part plus its last singular directions, which are tuned.

    Args:
        weight: rows x columns; with ``chunks`` matrices one below the other.
        chunks: query, key and value of one joined matrix: 3.
        directions: how many of each matrix are tuned.
    """

    main: Tensor
    size: Tensor

    def __init__(self, weight: Tensor, chunks: int, directions: int) -> None:
        super().__init__()
        matrices = weight.detach().reshape(chunks, -1, weight.shape[1])
        u, s, v = torch.linalg.svd(matrices, full_matrices=False)
        self.left = nn.Parameter(u[..., -directions:].clone())
        self.values = nn.Parameter(s[..., -directions:].clone())
        self.right = nn.Parameter(v[..., -directions:, :].clone())
        self.register_buffer("main", matrices - self.residual().detach(), persistent=False)
        self.register_buffer("size", matrices.pow(2).sum((1, 2)), persistent=False)

    def residual(self) -> Tensor:
        """The tuned part, chunks x rows x columns."""
        return (self.left * self.values[:, None]) @ self.right

    def forward(self, weight: Tensor) -> Tensor:
        """The whole weight in the place of the given one."""
        return (self.main + self.residual()).reshape(weight.shape)

    def strain(self) -> Tensor:
        """How far the tuned part reaches into the main one, and how far the size has changed."""
        residual = self.residual()
        scale = self.size.mean()
        across = (self.main.mT @ residual).pow(2).sum((1, 2)) / self.size
        across = across + (self.main @ residual.mT).pow(2).sum((1, 2)) / self.size
        grown = ((self.main + residual).pow(2).sum((1, 2)) - self.size).abs()
        return across.mean() + grown.mean() / scale


class _Effort(nn.Module):
    def __init__(self, pair: ClipPair, directions: int) -> None:
        super().__init__()
        self.pair = pair
        self.base_sha256 = pair.key
        self.parts: list[Residual] = []
        for block in pair.visual.transformer.resblocks[: pair.depth]:
            for module, name, chunks in (
                (block.attn, "in_proj_weight", 3),
                (block.attn.out_proj, "weight", 1),
            ):
                part = Residual(getattr(module, name), chunks, directions)
                parametrize.register_parametrization(module, name, part)
                self.parts.append(part)
        self.linear = Probe(pair).linear

    def forward(self, pixels: Tensor) -> Tensor:
        return self.probe().head(self.pair.feature(pixels))

    def probe(self) -> Probe:
        """The linear layer on the tower as it was: what training begins with."""
        return Probe(self.pair, self.linear)

    def strain(self) -> Tensor:
        """Mean over all tuned weights."""
        return torch.stack([part.strain() for part in self.parts]).mean()


class EffortDetector(TracedClipPlugin):
    """One direction of each attention weight, and a linear layer."""

    name = "effort"
    citation = (
        "Yan et al.: Orthogonal Subspace Decomposition for Generalizable AI-Generated Image "
        "Detection (Effort), ICML 2025 (arXiv 2411.15633)"
    )
    Options = EffortOptions
    recipe: ClassVar[Recipe] = Recipe(
        epochs=2, learning_rate=3e-4, decay=0.0, batch=8, first=ClipProbeDetector.recipe
    )

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The pair's picture tower with split attention weights."""
        return _Effort(load_pair(options, files), options.directions)

    @classmethod
    def loss(
        cls, forward: Callable[[Tensor], Tensor], values: Tensor, labels: Tensor, masks: Tensor
    ) -> Tensor:
        """Cross-entropy, and that the tuned part stays apart from the main one and of its size."""
        logits = forward(values)
        told = functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
        return told + forward.strain()  # type: ignore[attr-defined, no-any-return]
