"""The two answers of the read-out on statistics of views, and the loss that tunes them."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.training.direction import fit_direction

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
    "with_direction",
]

GENUINE, LAID_IN, MADE = 0, 1, 2
_AT_ONCE = 2048


class HeadConfig(BaseModel):
    """How the read-out is built and tuned, and how its direction is fitted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: tuple[int, ...] = (3, 5, 6, 8)
    hidden: int = Field(default=256, ge=1, le=4096)
    evidence_hidden: tuple[int, int] = Field(
        default=(64, 96), description="of the patches that look for what was laid in, and made"
    )
    shares: tuple[float, float] = Field(
        default=(0.4, 0.25), description="of the network in the answers laid in and made"
    )
    direction: float = Field(
        default=1.0, ge=0, description="logits of *made* that one deviation of genuine faces adds"
    )
    between: float = Field(
        default=30.0, ge=0, description="weight of what genuine sources differ in, as noise"
    )
    ridge: float = Field(default=0.1, gt=0, description="on the standardised statistics")
    own_weight: float = Field(
        default=0.5, ge=0, description="of each head's own loss while the tower is tuned"
    )
    label_smoothing: float = Field(default=0.04, ge=0, lt=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadData:
    """N views.

    ``statistics``: N x blocks x 3 x width, float16; ``evidence``: N x 2 logits of the patches,
    float32.
    """

    statistics: NDArray[np.float16]
    evidence: NDArray[np.float32]

    def drawn(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Float32 statistics and evidence of some rows."""
        return _drawn(self.statistics, rows), torch.from_numpy(self.evidence[rows])


def _drawn(statistics: NDArray[np.float16], rows: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(statistics[rows].astype(np.float32))


def new_read_out(config: HeadConfig, *, width: int, grid: int, seed: int) -> TwoHeadReadOut:
    """An untrained read-out, whose network says nothing until the tower's stage tunes it."""
    torch.manual_seed(seed)
    model = TwoHeadReadOut(
        blocks=config.blocks,
        width=width,
        hidden=config.hidden,
        evidence_hidden=config.evidence_hidden,
        grid=grid,
        shares=config.shares,
    )
    for parameter in model.network.layers[-1].parameters():
        nn.init.zeros_(parameter)
    return model


def with_direction(
    start: TwoHeadReadOut,
    statistics: NDArray[np.float16],
    listed: NDArray[np.bool_],
    sources: NDArray[np.str_],
    rows: NDArray[np.int64],
    config: HeadConfig,
) -> TwoHeadReadOut:
    """A copy of ``start`` whose answer *made* also follows the direction of listed fakes.

    Args:
        start: :func:`new_read_out`, or one that was trained before.
        statistics: N x blocks x 3 x width.
        listed: N, whether the manifest lists the picture as manipulated.
        sources: N.
        rows: of views as they are or worn: one with a made change is not what its list says.
        config: of the direction.

    Raises:
        TrainingError: the rows lack a class, or their statistics are not finite.
    """
    model = copy.deepcopy(start)
    values = np.concatenate(
        [
            model.network.standardised(_drawn(statistics, rows[begin : begin + _AT_ONCE])).numpy()
            for begin in range(0, len(rows), _AT_ONCE)
        ]
    )
    direction, middle = fit_direction(
        values, listed[rows], sources[rows], between=config.between, ridge=config.ridge
    )
    model.network = model.network.also_along(
        torch.from_numpy(direction), middle, head=MADE - 1, weight=config.direction
    )
    return model.eval().requires_grad_(False)


def heads_loss(heads: Tensor, kinds: Tensor, config: HeadConfig) -> Tensor:
    """Cross-entropy of the joined answer, and of each head on the genuine and its own kind.

    ``heads``: B x 2 logits; ``kinds``: B; ``config``: for ``own_weight`` and ``label_smoothing``.
    """
    loss = _entropy(heads.logsumexp(1), (kinds != GENUINE).float(), config)
    for head, kind in enumerate((LAID_IN, MADE)):
        own = (kinds == GENUINE) | (kinds == kind)
        if bool(own.any()):
            target = (kinds[own] == kind).float()
            loss = loss + config.own_weight * _entropy(heads[own, head], target, config)
    return loss


def _entropy(logits: Tensor, target: Tensor, config: HeadConfig) -> Tensor:
    softened = target * (1 - 2 * config.label_smoothing) + config.label_smoothing
    return functional.binary_cross_entropy_with_logits(logits, softened)


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
