"""The read-out of the embedded detector: two questions over the same features.

*Laid in*: was something blended into a genuine picture? *Made*: did the picture come out of a
generator or decoder? Each head adds what a small network makes of the blocks' statistics and what
the patches say, each half; their logits are joined by log-sum-exp, so that either is enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.read_out import ReadOut, token_statistics

__all__ = ["HEADS", "TwoHeadReadOut"]

#: What each head asks, in the order of their logits.
HEADS = ("laid-in", "made")


class TwoHeadReadOut(ReadOut):
    """Statistics of several blocks and evidence of the patches, for both questions.

    ``share`` is the statistics' share of a head's logit; the rest is the patches', and in the map.
    ``reduced``: the patches come in so many dimensions (:mod:`assistant.training.views`), as while
    training; :meth:`unfolded` gives the read-out of the tokens themselves.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        *,
        blocks: Sequence[int],
        width: int,
        hidden: int,
        channels: int,
        grid: int,
        share: float = 0.5,
        reduced: int | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.blocks, self.width = tuple(blocks), width
        self.hidden, self.channels, self.grid, self.share = hidden, channels, grid, share
        self.reduced = reduced
        count = len(self.blocks) * 3 * width
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))
        self.layers = nn.Sequential(
            nn.Dropout(0.4 * dropout),
            nn.Linear(count, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, len(HEADS)),
        )
        self.inner = nn.Linear(reduced or len(self.blocks) * width, channels)
        self.position = nn.Parameter(torch.zeros(grid * grid, channels))
        self.near = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.far = nn.Conv2d(channels, channels, 3, padding=2, dilation=2)
        self.drop = nn.Dropout(0.2 * dropout)
        self.out = nn.Conv2d(channels, len(HEADS), 1)
        self.pool = nn.Parameter(torch.full((len(HEADS), 3), 0.3))
        self.bias = nn.Parameter(torch.zeros(len(HEADS)))

    def statistics_logits(self, statistics: Tensor) -> Tensor:
        """B x 2, of B x blocks x 3 x width; limited to six deviations."""
        standard = ((statistics.flatten(1) - self.mean) / self.scale).clamp(-6.0, 6.0)
        logits: Tensor = self.layers(standard)
        return logits

    def patch_head_logits(self, patches: Tensor) -> Tensor:
        """B x 2 x cells, of B x cells x (blocks x width, or ``reduced``)."""
        state = self.inner(patches)
        state = state - 0.5 * state.mean(dim=1, keepdim=True)
        state = self.drop(functional.gelu(state + self.position))
        state = state.transpose(1, 2).reshape(len(state), -1, self.grid, self.grid)
        both = torch.cat([state, state - state.mean(dim=(2, 3), keepdim=True)], dim=1)
        state = functional.gelu(self.near(both))
        state = state + functional.gelu(self.far(state))
        logits: Tensor = self.out(state).flatten(2)
        return logits

    def pooled(self, patch_head_logits: Tensor) -> Tensor:
        """B x 2: a learned sum of mean, soft maximum, and mean of the highest sixteenth."""
        count = patch_head_logits.shape[2]
        soft = torch.logsumexp(patch_head_logits, dim=2) - math.log(count)
        highest = patch_head_logits.topk(max(1, count // 16), dim=2).values.mean(2)
        parts = torch.stack([patch_head_logits.mean(2), soft, highest], dim=2)
        return (parts * self.pool).sum(2) + self.bias

    def joined(self, statistics_logits: Tensor, evidence_logits: Tensor) -> Tensor:
        """B x 2: what both say, of B x 2 each."""
        return self.share * statistics_logits + (1.0 - self.share) * evidence_logits

    def head_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x 2 logits, one a question of :data:`HEADS`."""
        statistics = torch.stack([token_statistics(t) for t in tokens], dim=1)
        evidence = self.pooled(self.patch_head_logits(_patches(tokens)))
        return self.joined(self.statistics_logits(statistics), evidence)

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits: either question answered with yes is enough."""
        return torch.logsumexp(self.head_logits(tokens), dim=1)

    def patch_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x cells: each head's evidence, by how much that head made of the logit."""
        statistics = torch.stack([token_statistics(t) for t in tokens], dim=1)
        each = self.patch_head_logits(_patches(tokens))
        heads = self.joined(self.statistics_logits(statistics), self.pooled(each))
        return (each * heads.softmax(1)[..., None]).sum(1)

    def unfolded(self, basis: Tensor) -> TwoHeadReadOut:
        """The same, of the tokens themselves.

        Args:
            basis: (blocks x width + 1) x reduced, what reduced the patches; the mean last.
        """
        made = TwoHeadReadOut(**{k: v for k, v in self.options().items() if k != "kind"})
        state = dict(self.state_dict())
        inner = state["inner.weight"]
        state["inner.weight"] = inner @ basis[:-1].T
        state["inner.bias"] = state["inner.bias"] - inner @ basis[-1]
        made.load_state_dict(state, strict=True)
        return made.eval()

    def options(self) -> dict[str, Any]:
        """What :func:`assistant.detectors.read_out.build_read_out` needs."""
        return {
            "kind": "two-heads",
            "blocks": list(self.blocks),
            "width": self.width,
            "hidden": self.hidden,
            "channels": self.channels,
            "grid": self.grid,
            "share": self.share,
        }


def _patches(tokens: Sequence[Tensor]) -> Tensor:
    """B x cells x (blocks x width)."""
    return torch.cat([t[:, 1:] for t in tokens], dim=2)
