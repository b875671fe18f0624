"""The read-out of the embedded detector: two questions over the same features.

*Laid in*: was something blended into a genuine picture? *Made*: did the picture come out of a
generator or decoder? Each head is a linear function of class token, patch mean and patch deviation
of several blocks; their logits are joined by log-sum-exp, so that either is enough. What the patch
mean and deviation add to a logit is, exactly, the mean of what each patch adds: so the map shows
that part of the score, and all but the class tokens' is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from assistant.detectors.read_out import ReadOut, token_statistics

__all__ = ["HEADS", "TwoHeadReadOut"]

#: What each head asks, in the order of their logits.
HEADS = ("laid-in", "made")


class TwoHeadReadOut(ReadOut):
    """A linear layer with an output a question, over statistics in their own deviations."""

    mean: Tensor
    scale: Tensor

    def __init__(self, *, blocks: Sequence[int], width: int) -> None:
        super().__init__()
        self.blocks, self.width = tuple(blocks), width
        count = len(self.blocks) * 3 * width
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))
        self.linear = nn.Linear(count, len(HEADS))

    def from_statistics(self, statistics: Tensor) -> Tensor:
        """B x 2 logits, one a question of :data:`HEADS`, of B x blocks x 3 x width."""
        logits: Tensor = self.linear((statistics.flatten(1) - self.mean) / self.scale)
        return logits

    def head_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x 2 logits of B x T x width tokens a block."""
        return self.from_statistics(torch.stack([token_statistics(t) for t in tokens], dim=1))

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits: either question answered with yes is enough."""
        return torch.logsumexp(self.head_logits(tokens), dim=1)

    def patch_head_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x 2 x cells: what each patch adds; their mean is what the patches add to the logits."""
        shape = (len(self.blocks), 3, self.width)
        weight = (self.linear.weight / self.scale).view(len(HEADS), *shape)
        centre = self.mean.view(shape)
        added = tokens[0].new_zeros(len(tokens[0]), len(HEADS), tokens[0].shape[1] - 1)
        for block, of_block in enumerate(tokens):
            patches = of_block[:, 1:]
            count = patches.shape[1]
            apart = patches - patches.mean(1, keepdim=True)
            deviation = patches.std(1, keepdim=True).clamp_min(1e-6)
            spread = apart.square() / deviation * (count / (count - 1))
            for values, kind in ((patches, 1), (spread, 2)):
                part = (values - centre[block, kind]) @ weight[:, block, kind].T
                added = added + part.transpose(1, 2)
        return added

    def patch_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x cells: what each patch adds to the heads, each by how much it made of the logit."""
        shares = self.head_logits(tokens).softmax(1)
        return (self.patch_head_logits(tokens) * shares[..., None]).sum(1)

    def options(self) -> dict[str, Any]:
        """What :func:`assistant.detectors.read_out.build_read_out` needs."""
        return {"kind": "two-heads", "blocks": list(self.blocks), "width": self.width}
