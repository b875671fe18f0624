"""What a tower that is not tuned here makes of crops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.detectors.read_out import token_statistics
from assistant.detectors.tower import (
    Tower,
    TowerLayout,
    build_tower,
    embed,
    fit_positions,
    run_blocks,
)
from assistant.types import Image

__all__ = ["block_tokens", "loaded_tower", "stacked_statistics", "statistics_of"]


def loaded_tower(state: Mapping[str, Tensor], layout: TowerLayout) -> Tower:
    """A tower with the base's weights, its positions fitted to the layout."""
    tower = build_tower(layout)
    tower.load_state_dict(fit_positions(state, layout), strict=True)
    return tower


def block_tokens(
    tower: Tower, layout: TowerLayout, crops: Sequence[Image], blocks: Sequence[int]
) -> list[Tensor]:
    """What ``blocks`` give out for RGB uint8 crops: each B x tokens x width."""
    outputs = run_blocks(tower, embed(tower, layout.normalised(crops)), range(max(blocks) + 1))
    return [outputs[block] for block in blocks]


def stacked_statistics(tokens: Sequence[Tensor]) -> Tensor:
    """B x blocks x 3 x width statistics of the tokens of some blocks."""
    return torch.stack([token_statistics(t) for t in tokens], dim=1)


def statistics_of(
    state: Mapping[str, Tensor], layout: TowerLayout, blocks: Sequence[int]
) -> Callable[[list[Image]], NDArray[np.float32]]:
    """A function from RGB uint8 crops to B x blocks x 3 x width statistics of the frozen tower."""
    tower = loaded_tower(state, layout)

    def run(crops: list[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = stacked_statistics(
                block_tokens(tower, layout, crops, blocks)
            ).numpy()
        return found

    return run
