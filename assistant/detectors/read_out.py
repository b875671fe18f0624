"""Read-outs: from the tokens of some blocks to a logit.

``class-token`` is the published one (arXiv 2503.19683): the last class token, L2-normalised, a
linear layer with two outputs. ``patch-evidence`` gives every patch a logit of its own and pools
these, so that it also says where. ``two-heads`` (:mod:`assistant.detectors.two_heads`), which is
what the embedded detector reads, adds a network over statistics of several blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.errors import WeightsError

__all__ = [
    "ClassTokenReadOut",
    "PatchEvidenceReadOut",
    "PooledReadOut",
    "ReadOut",
    "build_read_out",
    "token_statistics",
]


class ReadOut(nn.Module):
    """Reads block outputs. ``blocks`` are the indices it looks at, in order.

    ``forward`` takes one B x T x width tensor a block of ``blocks`` (class token first; for
    ``class-token`` after the last LayerNorm) and gives B logits, larger = more likely manipulated.
    """

    blocks: tuple[int, ...]
    #: True where the read-out wants the tokens after the tower's last LayerNorm.
    after_last_norm = False

    def options(self) -> dict[str, Any]:
        """What :func:`build_read_out` needs to make it again."""
        raise NotImplementedError

    def patch_logits(self, tokens: Sequence[Tensor]) -> Tensor | None:
        """B x patches: how far each patch speaks for "manipulated"; None where it has no such."""
        return None


class ClassTokenReadOut(ReadOut):
    """L2-normalised last class token, linear, two outputs, 1 = fake (arXiv 2503.19683)."""

    after_last_norm = True

    def __init__(self, *, width: int, last_block: int, normalise: bool = True) -> None:
        super().__init__()
        self.blocks = (last_block,)
        self.width = width
        self.normalise = normalise
        self.linear = nn.Linear(width, 2)

    def feature(self, tokens: Sequence[Tensor]) -> Tensor:
        """The B x width feature the metric losses act on."""
        feature = tokens[0][:, 0]
        return functional.normalize(feature, dim=-1) if self.normalise else feature

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits: fake minus real."""
        real_fake = self.linear(self.feature(tokens))
        logits: Tensor = real_fake[:, 1] - real_fake[:, 0]
        return logits

    def options(self) -> dict[str, Any]:
        """What :func:`build_read_out` needs."""
        return {
            "kind": "class-token",
            "width": self.width,
            "last_block": self.blocks[0],
            "normalise": self.normalise,
        }


def token_statistics(tokens: Tensor) -> Tensor:
    """Class token, patch mean and patch deviation: B x T x width to B x 3 x width."""
    patches = tokens[:, 1:]
    mean = patches.mean(1)
    # ten times as fast as Tensor.std, which is slow over an axis that is not the last
    squared = (patches - mean[:, None]).square().sum(1)
    return torch.stack([tokens[:, 0], mean, (squared / (patches.shape[1] - 1)).sqrt()], dim=1)


class PooledReadOut(ReadOut):
    """Reads statistics of the tokens, not the tokens themselves: a cache of these is enough.

    ``mean`` and ``scale`` standardise them: one number for each, blocks x 3 x width in all.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, blocks: Sequence[int], width: int) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        self.width = width
        count = len(self.blocks) * 3 * width
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))

    def standardised(self, statistics: Tensor) -> Tensor:
        """B x (blocks x 3 x width), limited to six deviations."""
        return ((statistics.flatten(1) - self.mean) / self.scale).clamp(-6.0, 6.0)

    def from_statistics(self, statistics: Tensor) -> Tensor:
        """B logits from B x blocks x 3 x width, as a cache keeps them."""
        raise NotImplementedError

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits."""
        return self.from_statistics(torch.stack([token_statistics(t) for t in tokens], dim=1))


class PatchEvidenceReadOut(ReadOut):
    """A logit a patch, trained with masks where they are known; the face's logit is pooled of them.

    A patch is read with its neighbours (two 3 x 3 convolutions over the grid), its position in the
    aligned crop, and against the mean of the face: a blended part differs from the rest.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, *, blocks: Sequence[int], width: int, hidden: int, grid: int, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        self.width = width
        self.hidden = hidden
        self.grid = grid
        count = len(self.blocks) * width
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))
        self.inner = nn.Linear(count, hidden)
        self.position = nn.Parameter(torch.zeros(grid * grid, hidden))
        self.near = nn.Conv2d(2 * hidden, hidden, 3, padding=1)
        self.far = nn.Conv2d(hidden, hidden, 3, padding=2, dilation=2)
        self.out = nn.Conv2d(hidden, 1, 1)
        self.drop = nn.Dropout(dropout)
        self.pool = nn.Linear(3, 1)
        with torch.no_grad():
            self.pool.weight.copy_(torch.tensor([[0.3, 0.3, 0.3]]))
            self.pool.bias.zero_()

    def patch_logits(self, tokens: Sequence[Tensor]) -> Tensor:
        """B x patches."""
        # ((t - mean) / scale) is standardised by the weights, not by the (much wider) tokens.
        parts = (self.inner.weight / self.scale).split(self.width, dim=1)
        state = torch.stack([t[:, 1:] @ w.T for t, w in zip(tokens, parts, strict=True)]).sum(0)
        state = state - functional.linear(self.mean / self.scale, self.inner.weight)
        state = state - 0.5 * state.mean(dim=1, keepdim=True) + self.inner.bias
        state = self.drop(functional.gelu(state + self.position))
        state = state.transpose(1, 2).reshape(len(state), -1, self.grid, self.grid)
        both = torch.cat([state, state - state.mean(dim=(2, 3), keepdim=True)], dim=1)
        state = functional.gelu(self.near(both))
        state = state + functional.gelu(self.far(state))
        logits: Tensor = self.out(state).flatten(1)
        return logits

    def pooled(self, patch_logits: Tensor) -> Tensor:
        """B logits: a learned sum of mean, soft maximum, and mean of the highest sixteenth."""
        count = patch_logits.shape[1]
        soft = torch.logsumexp(patch_logits, dim=1) - math.log(count)
        highest = patch_logits.topk(max(1, count // 16), dim=1).values.mean(1)
        parts = torch.stack([patch_logits.mean(1), soft, highest], dim=1)
        logits: Tensor = self.pool(parts)[:, 0]
        return logits

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits."""
        return self.pooled(self.patch_logits(tokens))

    def options(self) -> dict[str, Any]:
        """What :func:`build_read_out` needs."""
        return {
            "kind": "patch-evidence",
            "blocks": list(self.blocks),
            "width": self.width,
            "hidden": self.hidden,
            "grid": self.grid,
        }


def build_read_out(options: Mapping[str, Any]) -> ReadOut:
    """A read-out with not yet loaded weights.

    Args:
        options: ``kind`` and that kind's arguments, as :meth:`ReadOut.options` gives them.

    Raises:
        WeightsError: unknown kind or wrong arguments.
    """
    arguments = dict(options)
    kind = arguments.pop("kind", None)
    from assistant.detectors.two_heads import TwoHeadReadOut  # which is a ReadOut itself

    kinds: dict[Any, Callable[..., ReadOut]] = {
        "class-token": ClassTokenReadOut,
        "patch-evidence": PatchEvidenceReadOut,
        "two-heads": TwoHeadReadOut,
    }
    try:
        return kinds[kind](**arguments)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"The weights ask for a read-out {dict(options)!r} that this version does not know.",
            hint=f"Known kinds: {', '.join(sorted(kinds))}. Update whyfake or the weights.",
            code="weights-read-out",
        ) from error
