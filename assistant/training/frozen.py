"""Statistics of crops as a tower that is not tuned here gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from assistant.detectors.read_out import token_statistics
from assistant.detectors.tower import TowerLayout, build_tower, embed, fit_positions, run_blocks
from assistant.types import Image

__all__ = ["statistics_of"]


def statistics_of(
    state: Mapping[str, torch.Tensor], layout: TowerLayout, blocks: Sequence[int]
) -> Callable[[list[Image]], NDArray[np.float32]]:
    """A function from RGB uint8 crops to B x blocks x 3 x width statistics of the frozen tower."""
    tower = build_tower(layout)
    tower.load_state_dict(fit_positions(state, layout))

    def run(crops: list[Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            outputs = run_blocks(
                tower, embed(tower, layout.normalised(crops)), range(max(blocks) + 1)
            )
            kept = [token_statistics(outputs[b]) for b in blocks]
        found: NDArray[np.float32] = torch.stack(kept, dim=1).numpy()
        return found

    return run
