"""The read-out of the embedded detector: two questions over the same features.

*Laid in*: was something blended into a genuine picture? *Made*: did the picture come out of a
generator or decoder? A small network over the blocks' statistics answers both; what the patches say
is added to either answer, and is in the map. The logits are joined by log-sum-exp, so that one yes
is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from assistant.detectors.read_out import (
    PatchEvidenceReadOut,
    PooledReadOut,
    ReadOut,
    token_statistics,
)

__all__ = ["HEADS", "TwoHeadReadOut"]

#: What each head asks, in the order of their logits.
HEADS = ("laid-in", "made")


class HeadNetwork(PooledReadOut):
    """One hidden layer over the standardised statistics, an output for each of :data:`HEADS`."""

    def __init__(
        self, blocks: Sequence[int], width: int, hidden: int, dropout: tuple[float, float]
    ) -> None:
        super().__init__(blocks, width)
        self.layers = nn.Sequential(
            nn.Dropout(dropout[0]),
            nn.Linear(self.mean.numel(), hidden),
            nn.GELU(),
            nn.Dropout(dropout[1]),
            nn.Linear(hidden, len(HEADS)),
        )

    def from_statistics(self, statistics: Tensor) -> Tensor:
        """B x 2 logits from B x blocks x 3 x width."""
        logits: Tensor = self.layers(self.standardised(statistics))
        return logits


class TwoHeadReadOut(ReadOut):
    """The network's answers count ``share``, the patches' evidence the rest."""

    def __init__(
        self,
        *,
        blocks: Sequence[int],
        width: int,
        hidden: int,
        evidence_hidden: int,
        grid: int,
        share: float = 0.6,
        dropout: tuple[float, float] = (0.2, 0.5),
    ) -> None:
        super().__init__()
        self.blocks, self.width, self.hidden, self.share = tuple(blocks), width, hidden, share
        self.network = HeadNetwork(blocks, width, hidden, dropout)
        self.evidence = PatchEvidenceReadOut(
            blocks=blocks, width=width, hidden=evidence_hidden, grid=grid
        )

    def joined(self, statistics: Tensor, evidence: Tensor) -> Tensor:
        """B x 2 logits of the heads, of B x blocks x 3 x width and of the patches' B logits."""
        answers = self.network.from_statistics(statistics)
        return self.share * answers + (1.0 - self.share) * evidence[:, None]

    def head_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x 2 logits of B x T x width tokens a block."""
        statistics = torch.stack([token_statistics(t) for t in tokens], dim=1)
        return self.joined(statistics, self.evidence(tokens))

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits: either question answered with yes is enough."""
        return torch.logsumexp(self.head_logits(tokens), dim=1)

    def patch_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x patches, those of the evidence."""
        return self.evidence.patch_logits(tokens)

    def options(self) -> dict[str, Any]:
        """What :func:`assistant.detectors.read_out.build_read_out` needs."""
        return {
            "kind": "two-heads",
            "blocks": list(self.blocks),
            "width": self.width,
            "hidden": self.hidden,
            "evidence_hidden": self.evidence.hidden,
            "grid": self.evidence.grid,
            "share": self.share,
        }
