"""Train the two answers of the read-out on statistics of views: the last stage of the recipe."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional

from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.errors import TrainingError
from assistant.training.losses import require_finite

__all__ = [
    "GENUINE",
    "LAID_IN",
    "MADE",
    "HeadConfig",
    "HeadData",
    "head_scores",
    "heads_loss",
    "new_read_out",
    "standardise",
    "train_heads",
]

GENUINE, LAID_IN, MADE = 0, 1, 2
_AT_ONCE = 2048
Progress = Callable[[str, int, int, float], None]


class HeadConfig(BaseModel):
    """How the read-out is built, and how its network is trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: tuple[int, ...] = (3, 5, 6, 8)
    hidden: int = Field(default=256, ge=1, le=4096)
    evidence_hidden: tuple[int, int] = Field(
        default=(64, 96), description="of the patches that look for what was laid in, and made"
    )
    shares: tuple[float, float] = Field(
        default=(0.4, 0.4), description="of the network in the answers laid in and made"
    )
    epochs: int = Field(default=6, ge=1, le=1000)
    batch: int = Field(default=256, ge=2)
    learning_rate: float = Field(default=3e-4, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    interpolation: float = Field(
        default=1.0, gt=0, le=1, description="0: the start, 1: what was trained (arXiv 2109.01903)"
    )
    own_weight: float = Field(
        default=0.5, ge=0, description="of each head's loss on the genuine and its own kind"
    )
    label_smoothing: float = Field(default=0.04, ge=0, lt=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadData:
    """N views.

    ``statistics``: N x blocks x 3 x width, float16; ``evidence``: N x 2 logits of the patches,
    float32; ``kinds``: N of :data:`GENUINE`, :data:`LAID_IN`, :data:`MADE`; ``weights``: N.
    """

    statistics: NDArray[np.float16]
    evidence: NDArray[np.float32]
    kinds: NDArray[np.int64]
    weights: NDArray[np.float64]

    def drawn(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Float32 statistics and evidence of some rows."""
        return (
            torch.from_numpy(self.statistics[rows].astype(np.float32)),
            torch.from_numpy(self.evidence[rows].astype(np.float32)),
        )


def new_read_out(config: HeadConfig, *, width: int, grid: int, seed: int) -> TwoHeadReadOut:
    """An untrained read-out."""
    torch.manual_seed(seed)
    return TwoHeadReadOut(
        blocks=config.blocks,
        width=width,
        hidden=config.hidden,
        evidence_hidden=config.evidence_hidden,
        grid=grid,
        shares=config.shares,
    )


def train_heads(
    start: TwoHeadReadOut,
    data: HeadData,
    rows: NDArray[np.int64],
    config: HeadConfig,
    *,
    seed: int,
    name: str = "heads",
    progress: Progress | None = None,
) -> TwoHeadReadOut:
    """Train the network of a copy of ``start`` on some rows; the patches' evidence stays.

    What is returned lies between start and end, as ``config.interpolation`` says.

    The same rows and seed give the same read-out.

    Args:
        start: where it begins; :func:`new_read_out`, or one that was trained before.
        data: the views.
        rows: of them that are learnt from.
        config: of the training.
        seed: of order and dropout.
        name: of this training, for ``progress``.
        progress: told (name, epochs done, in all, mean loss).

    Raises:
        TrainingError: the rows lack a class, or the loss is not finite (the batch is named).
    """
    if not {GENUINE} < set(data.kinds[rows].tolist()):
        raise TrainingError(
            "What is left to train on holds one class only.",
            hint="Leave fewer sources out, or add sources of the other class.",
            code="one-class",
        )
    torch.manual_seed(seed)
    model = copy.deepcopy(start).requires_grad_(False)
    network = model.network.requires_grad_(True).train()
    first = {n: p.detach().clone() for n, p in network.named_parameters()}
    batch = min(config.batch, len(rows))
    steps = config.epochs * (len(rows) // batch)
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=steps + 1, pct_start=0.15
    )
    for epoch in range(config.epochs):
        order = np.random.default_rng((seed, epoch)).permutation(rows)
        total = 0.0
        for begin in range(0, len(order) - batch + 1, batch):
            part = np.sort(order[begin : begin + batch])
            kinds = torch.from_numpy(data.kinds[part])
            weights = torch.from_numpy(data.weights[part]).float()
            loss = heads_loss(model.joined(*data.drawn(part)), kinds, weights, config)
            require_finite(
                loss,
                f"in epoch {epoch + 1}, batch {begin // batch + 1}",
                hint="Look for damaged rows in the cache, or lower the learning rate.",
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        if progress is not None:
            progress(name, epoch + 1, config.epochs, total / max(1, len(order) // batch))
    with torch.no_grad():
        for parameter_name, value in network.named_parameters():
            value.copy_(torch.lerp(first[parameter_name], value, config.interpolation))
    return model.eval().requires_grad_(False)


def heads_loss(heads: Tensor, kinds: Tensor, weights: Tensor, config: HeadConfig) -> Tensor:
    """Cross-entropy of the joined answer, and of each head on the genuine and its own kind.

    Args:
        heads: B x 2 logits.
        kinds: B.
        weights: B.
        config: for ``own_weight`` and ``label_smoothing``.
    """
    loss = _entropy(heads.logsumexp(1), (kinds != GENUINE).float(), weights, config)
    for head, kind in enumerate((LAID_IN, MADE)):
        own = (kinds == GENUINE) | (kinds == kind)
        if bool(own.any()):
            target = (kinds[own] == kind).float()
            loss = loss + config.own_weight * _entropy(
                heads[own, head], target, weights[own], config
            )
    return loss


def _entropy(logits: Tensor, target: Tensor, weights: Tensor, config: HeadConfig) -> Tensor:
    softened = target * (1 - 2 * config.label_smoothing) + config.label_smoothing
    return functional.binary_cross_entropy_with_logits(logits, softened, weight=weights)


def head_scores(
    model: TwoHeadReadOut, data: HeadData, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """N x 2 logits of the heads."""
    found = np.zeros((len(rows), 2))
    with torch.inference_mode():
        for begin in range(0, len(rows), _AT_ONCE):
            part = data.drawn(rows[begin : begin + _AT_ONCE])
            found[begin : begin + len(part[0])] = model.joined(*part).double().numpy()
    return found


def standardise(
    model: TwoHeadReadOut, statistics: NDArray[np.float16], rows: NDArray[np.int64]
) -> None:
    """Set the network's mean and deviation to those of some rows."""
    network = model.network
    total = np.zeros(network.mean.numel())
    square = np.zeros_like(total)
    for begin in range(0, len(rows), _AT_ONCE):
        part = statistics[rows[begin : begin + _AT_ONCE]].astype(np.float32)
        part = part.reshape(len(part), -1)
        total += part.sum(0, dtype=np.float64)
        square += (part**2).sum(0, dtype=np.float64)
    mean = total / len(rows)
    deviation = np.sqrt(np.maximum(square / len(rows) - mean**2, 0.0)) + 1e-3
    network.mean.copy_(torch.from_numpy(mean))
    network.scale.copy_(torch.from_numpy(deviation))
