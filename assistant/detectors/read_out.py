"""Read-outs: from the tokens of some blocks to a logit.

``class-token`` is the published one (arXiv 2503.19683): the last class token, L2-normalised, a
linear layer with two outputs. ``statistics`` pools class token, patch mean and patch deviation of
several blocks and reads them with a small network. ``patches`` reads every patch on its own, then
pools, so that it also says where. ``sum`` adds the logits of several, each with a weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.errors import WeightsError

__all__ = [
    "ClassTokenReadOut",
    "PatchReadOut",
    "ReadOut",
    "StatisticsReadOut",
    "SumReadOut",
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
    return torch.stack([tokens[:, 0], patches.mean(1), patches.std(1)], dim=1)


class StatisticsReadOut(ReadOut):
    """A network of one hidden layer over the standardised statistics of several blocks."""

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        *,
        blocks: Sequence[int],
        width: int,
        hidden: int,
        dropout: tuple[float, float] = (0.2, 0.5),
    ) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        self.width = width
        self.hidden = hidden
        count = len(self.blocks) * 3 * width
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))
        self.layers = nn.Sequential(
            nn.Dropout(dropout[0]),
            nn.Linear(count, hidden),
            nn.GELU(),
            nn.Dropout(dropout[1]),
            nn.Linear(hidden, 1),
        )

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits."""
        return self.from_statistics(torch.stack([token_statistics(t) for t in tokens], dim=1))

    def from_statistics(self, statistics: Tensor) -> Tensor:
        """B logits from B x blocks x 3 x width, as a cache keeps them."""
        flat = statistics.flatten(1)
        standard = ((flat - self.mean) / self.scale).clamp(-6.0, 6.0)
        logits: Tensor = self.layers(standard)[:, 0]
        return logits

    def options(self) -> dict[str, Any]:
        """What :func:`build_read_out` needs."""
        return {
            "kind": "statistics",
            "blocks": list(self.blocks),
            "width": self.width,
            "hidden": self.hidden,
        }


class PatchReadOut(ReadOut):
    """Every patch through a small network, then mean, deviation and a soft maximum over patches.

    The hidden state of a patch gets a learned position: in an aligned crop it says which part of
    the face this is.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, *, blocks: Sequence[int], width: int, hidden: int, grid: int, dropout: float = 0.3
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
        self.second = nn.Linear(hidden, hidden)
        self.look = nn.Linear(hidden, 4)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Sequential(
            nn.Linear(hidden * 6, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, 1)
        )

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits."""
        patches = torch.cat([t[:, 1:] for t in tokens], dim=-1)
        return self.from_patches(((patches - self.mean) / self.scale).clamp(-6.0, 6.0))

    def from_patches(self, standard: Tensor) -> Tensor:
        """B logits from standardised patch tokens B x patches x (blocks * width)."""
        state = functional.gelu(self.inner(standard) + self.position)
        state = self.drop(functional.gelu(self.second(state)))
        weights = torch.softmax(self.look(state), dim=1)
        pooled = torch.cat(
            [state.mean(1), state.std(1), (weights.transpose(1, 2) @ state).flatten(1)], dim=-1
        )
        logits: Tensor = self.out(pooled)[:, 0]
        return logits

    def options(self) -> dict[str, Any]:
        """What :func:`build_read_out` needs."""
        return {
            "kind": "patches",
            "blocks": list(self.blocks),
            "width": self.width,
            "hidden": self.hidden,
            "grid": self.grid,
        }


class SumReadOut(ReadOut):
    """The weighted sum of several read-outs' logits."""

    def __init__(self, members: Sequence[ReadOut], weights: Sequence[float]) -> None:
        super().__init__()
        if len(members) != len(weights) or not members:
            raise ValueError(f"{len(members)} read-outs but {len(weights)} weights")
        if any(member.after_last_norm for member in members):
            raise ValueError("the class-token read-out cannot be summed with others")
        self.members = nn.ModuleList(members)
        self.weights = tuple(float(w) for w in weights)
        self.blocks = tuple(sorted({b for member in members for b in member.blocks}))

    def _parts(self) -> list[ReadOut]:
        return [cast("ReadOut", member) for member in self.members]

    def forward(self, tokens: Sequence[Tensor]) -> Tensor:
        """B logits."""
        by_block = dict(zip(self.blocks, tokens, strict=True))
        parts = [
            weight * member([by_block[b] for b in member.blocks])
            for member, weight in zip(self._parts(), self.weights, strict=True)
        ]
        return torch.stack(parts).sum(0)

    def options(self) -> dict[str, Any]:
        """What :func:`build_read_out` needs."""
        return {
            "kind": "sum",
            "members": [member.options() for member in self._parts()],
            "weights": list(self.weights),
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
    kinds: dict[Any, Callable[..., ReadOut]] = {
        "class-token": ClassTokenReadOut,
        "statistics": StatisticsReadOut,
        "patches": PatchReadOut,
    }
    try:
        if kind == "sum":
            members = [build_read_out(member) for member in arguments["members"]]
            return SumReadOut(members, arguments["weights"])
        return kinds[kind](**arguments)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"The weights ask for a read-out {dict(options)!r} that this version does not know.",
            hint=f"Known kinds: {', '.join(sorted(kinds))}, sum. Update whyfake or the weights.",
            code="weights-read-out",
        ) from error
