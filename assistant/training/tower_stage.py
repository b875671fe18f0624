"""The first stage of a recipe: LayerNorms and low-rank updates, tuned together with the read-out.

The method is that of LN-CLIP (arXiv 2503.19683), which tunes LayerNorms alone; on the small tower
low-rank updates of the linear layers (LoRA, arXiv 2106.09685) are tuned beside them. What is learnt
from are the recipe's own views, drawn anew at every step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from assistant.detectors.low_rank import attach_low_rank, fold_low_rank
from assistant.detectors.tower import Tower, TowerLayout, layer_norms
from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.evaluation.config_file import Strict
from assistant.training.frozen import block_tokens
from assistant.training.losses import descend
from assistant.training.run_state import RunState
from assistant.training.two_heads import HeadConfig, heads_loss
from assistant.training.views import View, ViewMaker

__all__ = ["TowerConfig", "TunedTower", "tune_tower"]


class TowerConfig(Strict):
    """How the tower is tuned; 0 steps: it stays as it is."""

    steps: int = Field(default=0, ge=0)
    without: tuple[str, ...] = Field(
        default=(),
        description="sources that the tower never sees, to be judged on them",
    )
    plain: float = Field(default=0.4, gt=0, description="odds of an unworn view against others")
    batch: int = Field(default=32, ge=2)
    lowest_block: int = Field(default=2, ge=0, description="blocks below stay as they are")
    rank: int = Field(default=8, ge=1, le=128)
    norm_rate: float = Field(default=2e-4, gt=0)
    low_rank_rate: float = Field(default=4e-4, gt=0)
    head_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    clip: float = Field(default=1.0, gt=0, description="norm of the gradient")
    average: float = Field(default=0.99, ge=0, lt=1)
    checkpoint_steps: int = Field(default=25, ge=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedTower:
    """What was tuned: LayerNorms, and low-rank factors, by their names in the tower."""

    norms: Mapping[str, Tensor]
    low_rank: Mapping[str, Tensor]


def tune_tower(
    tower: Tower,
    model: TwoHeadReadOut,
    layout: TowerLayout,
    maker: ViewMaker,
    views: Sequence[View],
    kinds: NDArray[np.int64],
    odds: NDArray[np.float64],
    config: TowerConfig,
    heads: HeadConfig,
    *,
    seed: int,
    path: Path,
) -> TunedTower:
    """Tune ``tower`` and ``model`` in place; a stopped run goes on from its checkpoint.

    Args:
        tower: with the base's weights, or those of an earlier run.
        model: the read-out; its network is trained on afterwards.
        layout: of the tower.
        maker: of views.
        views: that may be drawn.
        kinds: N, of :mod:`assistant.training.two_heads`.
        odds: N, how often each is drawn (their sum is 1).
        config: of this stage.
        heads: of the read-out.
        seed: of all draws.
        path: of the checkpoint.

    Raises:
        TrainingError: the loss is not finite, or the checkpoint belongs to another configuration.
    """
    torch.manual_seed(seed)
    last = max(heads.blocks)
    tuned = range(config.lowest_block, last + 1)
    factors = attach_low_rank(tower, tuned, config.rank)
    norms = {
        name: value
        for name, value in layer_norms(tower).items()
        if any(f"resblocks.{index}." in name for index in tuned)
    }
    for value in norms.values():
        value.requires_grad_(True)
    model.train().requires_grad_(True)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(norms.values()), "lr": config.norm_rate, "weight_decay": 0.0},
            {"params": list(factors.values()), "lr": config.low_rank_rate},
            {"params": list(model.parameters()), "lr": config.head_rate},
        ],
        weight_decay=config.weight_decay,
    )
    named: dict[str, Tensor] = {
        **{f"norm.{n}": p for n, p in norms.items()},
        **{f"low_rank.{n}": p for n, p in factors.items()},
        **{f"head.{n}": p for n, p in model.named_parameters()},
    }
    state = RunState(
        named,
        optimiser,
        key=_key(config, heads, len(views), seed),
        path=path,
        average=config.average,
        every=config.checkpoint_steps,
    )
    state.restore()
    rates = [config.norm_rate, config.low_rank_rate, config.head_rate]
    steps = tqdm(range(state.batch, config.steps), "tower", config.steps, initial=state.batch)
    for step in steps:
        warm = min(1.0, (step + 1) / max(1, config.steps // 20))
        share = warm * 0.5 * (1 + np.cos(np.pi * step / config.steps))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = float(rate * share)
        rng = np.random.default_rng((seed, step))
        rows = rng.choice(len(views), config.batch, p=odds)
        made = [
            maker.make(View(row=v.row, kind=v.kind, number=v.number + 100 + step))[0]
            for v in (views[int(row)] for row in rows)
        ]
        tokens = block_tokens(tower, layout, made, heads.blocks)
        loss = heads_loss(model.head_logits(tokens), torch.from_numpy(kinds[rows]), heads)
        reached = descend(
            optimiser,
            loss,
            f"at step {step + 1} of the tower's tuning",
            hint="Lower the rates of the recipe's tower stage.",
            clip=config.clip,
        )
        state.stepped(0, step + 1)
        steps.set_postfix(loss=reached)
    with torch.no_grad():
        for name, value in named.items():
            value.copy_(state.average[name])
    kept = TunedTower(
        norms={n: p.detach().clone() for n, p in norms.items()},
        low_rank={n: p.detach().clone() for n, p in factors.items()},
    )
    model.eval().requires_grad_(False)
    fold_low_rank(tower)
    tower.eval().requires_grad_(False)
    return kept


def _key(config: TowerConfig, heads: HeadConfig, views: int, seed: int) -> str:
    """All that a run depends on."""
    told = json.dumps([config.model_dump(), heads.model_dump(), views, seed], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
