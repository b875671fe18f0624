"""Low-rank updates of a tower's linear layers (LoRA: Hu et al., arXiv 2106.09685).

Training adds ``up @ down`` beside a frozen layer; loading adds the product to the layer's weight
once, so that using a tuned tower costs what using the base costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.tower import Tower

__all__ = [
    "LowRankLinear",
    "attach_low_rank",
    "fold_low_rank",
    "low_rank_factors",
    "merge_low_rank",
    "sum_low_rank",
]

#: The linear layers of a block that are updated; query, key and value follow ``ln_1`` instead.
_LAYERS = ("attn.out_proj", "mlp.c_fc", "mlp.c_proj")


class LowRankLinear(nn.Module):
    """A frozen linear layer and a trained update ``up @ down`` (``up`` starts at zero)."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.normal_(self.down, std=base.in_features**-0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        """The layer's output with the update; the factors take the inputs' precision."""
        kind = inputs.dtype
        update = functional.linear(functional.linear(inputs, self.down.to(kind)), self.up.to(kind))
        out: Tensor = self.base(inputs) + update
        return out


def attach_low_rank(tower: Tower, blocks: Sequence[int], rank: int) -> dict[str, nn.Parameter]:
    """Put an update beside every layer of ``blocks``, in place.

    Returns:
        The trained factors, named ``transformer.resblocks.3.mlp.c_fc.up`` and so on.
    """
    factors: dict[str, nn.Parameter] = {}
    for index in blocks:
        for path in _LAYERS:
            name = f"transformer.resblocks.{index}.{path}"
            layer = tower.get_submodule(name)
            assert isinstance(layer, nn.Linear)  # noqa: S101 - open_clip's own layout
            updated = LowRankLinear(layer, rank)
            tower.set_submodule(name, updated)
            factors[f"{name}.up"], factors[f"{name}.down"] = updated.up, updated.down
    return factors


def fold_low_rank(tower: Tower) -> None:
    """Add the updates of :func:`attach_low_rank` to the layers' weights, in place, for use."""
    for name, module in list(tower.named_modules()):
        if isinstance(module, LowRankLinear):
            layer = module.base
            updated = _updated(layer.weight, module.up, module.down).to(layer.weight.dtype)
            layer.weight = nn.Parameter(updated, requires_grad=False)
            tower.set_submodule(name, layer)


def low_rank_factors(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(layer, up, down) of every pair in ``tensors``.

    Raises:
        ValueError: a name is no factor, or one of a pair is missing.
    """
    for name in sorted(tensors):
        layer, _, part = name.rpartition(".")
        other = {"up": "down", "down": "up"}.get(part)
        if other is None or f"{layer}.{other}" not in tensors:
            raise ValueError(f"{name!r} is no factor of a pair 'LAYER.up', 'LAYER.down'")
        if part == "up":
            yield layer, tensors[name], tensors[f"{layer}.down"]


def merge_low_rank(state: Mapping[str, Tensor], factors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of a tower's state with ``up @ down`` added to the layers' weights.

    Raises:
        ValueError: a layer is not in the state, or its shape does not fit.
    """
    merged = dict(state)
    for layer, up, down in low_rank_factors(factors):
        weight = merged.get(f"{layer}.weight")
        if weight is None or up.ndim != 2 or weight.shape != (up.shape[0], down.shape[-1]):
            shapes = f"{tuple(up.shape)} x {tuple(down.shape)}"
            raise ValueError(f"{layer!r} with {shapes} fits no layer")
        merged[f"{layer}.weight"] = _updated(weight, up, down)
    return merged


def _updated(weight: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """A layer's weight with its update, float32."""
    return weight.float() + up.float() @ down.float()


def sum_low_rank(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Factors of the sum of two updates; their ranks add up."""
    joined = {**first, **second}
    for name in set(first) & set(second):
        along = 1 if name.endswith(".up") else 0
        joined[name] = torch.cat([first[name].float(), second[name].float()], dim=along)
    return joined
