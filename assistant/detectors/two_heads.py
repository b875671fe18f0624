"""The read-out of the embedded detector: two questions over the same features.

*Laid in*: was something blended into a genuine picture? *Made*: did the picture come out of a
generator or decoder? A small network over the blocks' statistics answers both, and each has patches
of its own, which are in the map. The logits are joined by log-sum-exp, so that one yes is enough.
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
        self,
        blocks: Sequence[int],
        width: int,
        hidden: int,
    ) -> None:
        super().__init__(blocks, width)
        self.hidden = hidden
        self.layers = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(self.mean.numel(), hidden),
            nn.GELU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, len(HEADS)),
        )

    def from_statistics(self, statistics: Tensor) -> Tensor:
        """B x 2 logits from B x blocks x 3 x width."""
        logits: Tensor = self.layers(self.standardised(statistics))
        return logits

    def also_along(
        self, direction: Tensor, middle: float, *, head: int, weight: float
    ) -> HeadNetwork:
        """The same network whose answer also follows one direction of the statistics.

        Two hidden units do it exactly: GELU(x) - GELU(-x) = x.

        Args:
            direction: blocks x 3 x width weights of the standardised statistics.
            middle: where nothing is added.
            head: of :data:`HEADS`.
            weight: added to its logit for each unit along the direction.
        """
        wider = HeadNetwork(self.blocks, self.width, self.hidden + 2)
        units = torch.stack([direction, -direction])
        answer = torch.zeros(len(HEADS), 2)
        answer[head] = torch.tensor([weight, -weight])
        own = self.state_dict()
        wider.load_state_dict(
            {
                **own,
                "layers.1.weight": torch.cat([own["layers.1.weight"], units]),
                "layers.1.bias": torch.cat([own["layers.1.bias"], torch.tensor([-middle, middle])]),
                "layers.4.weight": torch.cat([own["layers.4.weight"], answer], dim=1),
            }
        )
        return wider


class TwoHeadReadOut(ReadOut):
    """For each of :data:`HEADS` a share of the network's answer, and for the rest the patches'.

    Each question has patches of its own: those of *laid in* learnt, by masks, how what was blended
    into a genuine picture differs from the rest of it; those of *made* what generators leave.

    Args:
        blocks: of the tower that are read.
        width: of a token.
        hidden: of the network.
        evidence_hidden: of the patches, for each of :data:`HEADS`.
        grid: patches along a side.
        shares: of the network in each logit, in [0, 1].
    """

    def __init__(
        self,
        *,
        blocks: Sequence[int],
        width: int,
        hidden: int,
        evidence_hidden: Sequence[int],
        grid: int,
        shares: Sequence[float],
    ) -> None:
        super().__init__()
        if len(shares) != len(HEADS) or len(evidence_hidden) != len(HEADS):
            raise ValueError(f"one share and one width for each of {', '.join(HEADS)}")
        self.blocks, self.width = tuple(blocks), width
        self.shares = tuple(float(share) for share in shares)
        self.network = HeadNetwork(blocks, width, hidden)
        self.laid_in, self.made = (
            PatchEvidenceReadOut(blocks=blocks, width=width, hidden=h, grid=grid)
            for h in evidence_hidden
        )

    def joined(self, statistics: Tensor, evidence: Tensor) -> Tensor:
        """B x 2 logits of the heads, of B x blocks x 3 x width and of the patches' B x 2 logits."""
        share = evidence.new_tensor(self.shares)
        return share * self.network.from_statistics(statistics) + (1.0 - share) * evidence

    def evidence(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x 2 logits of the patches."""
        return self._pooled(self._patches(tokens))

    def head_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x 2 logits of B x T x width tokens a block."""
        return self._answers(tokens, self._patches(tokens))

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits: either question answered with yes is enough."""
        return torch.logsumexp(self.head_logits(tokens), dim=1)

    def patch_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x patches: those of each question, as much as its answer counts in the logit."""
        patches = self._patches(tokens)
        share = tokens[0].new_tensor(self.shares)
        counted = (1.0 - share) * torch.softmax(self._answers(tokens, patches), dim=1)
        counted = counted / counted.sum(1, keepdim=True)
        return counted[:, :1] * patches[0] + counted[:, 1:] * patches[1]

    def _patches(self, tokens: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """B x patches for each of :data:`HEADS`."""
        return self.laid_in.patch_logits(tokens), self.made.patch_logits(tokens)

    def _pooled(self, patches: tuple[Tensor, Tensor]) -> Tensor:
        return torch.stack([self.laid_in.pooled(patches[0]), self.made.pooled(patches[1])], dim=1)

    def _answers(self, tokens: Sequence[Tensor], patches: tuple[Tensor, Tensor]) -> Tensor:
        statistics = torch.stack([token_statistics(t) for t in tokens], dim=1)
        return self.joined(statistics, self._pooled(patches))

    def options(self) -> dict[str, Any]:
        """What :func:`assistant.detectors.read_out.build_read_out` needs."""
        return {
            "kind": "two-heads",
            "blocks": list(self.blocks),
            "width": self.width,
            "hidden": self.network.hidden,
            "evidence_hidden": [self.laid_in.hidden, self.made.hidden],
            "grid": self.made.grid,
            "shares": list(self.shares),
        }
