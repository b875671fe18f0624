"""Fit the two-head read-out to statistics of views: the last stage of the embedded recipe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional

from assistant.detectors.two_heads import TwoHeadReadOut
from assistant.errors import TrainingError

__all__ = [
    "GENUINE",
    "LAID_IN",
    "MADE",
    "HeadConfig",
    "fit_heads",
    "head_scores",
    "heads_loss",
    "standardise",
]

GENUINE, LAID_IN, MADE = 0, 1, 2
_AT_ONCE = 4096
Progress = Callable[[str, int, int, float], None]


class HeadConfig(BaseModel):
    """What the two-head read-out reads, and how strongly it is held back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: tuple[int, ...] = (3, 5, 6, 8)
    ridge: float = Field(default=0.03, gt=0, description="weight of the squared coefficients")
    own_weight: float = Field(
        default=0.5, ge=0, description="of each head's loss on the genuine and its own kind"
    )
    iterations: int = Field(default=60, ge=1, description="of L-BFGS, at most")


def fit_heads(
    statistics: NDArray[np.float16],
    kinds: NDArray[np.int64],
    weights: NDArray[np.float64],
    rows: NDArray[np.int64],
    config: HeadConfig,
    *,
    name: str = "heads",
    progress: Progress | None = None,
) -> TwoHeadReadOut:
    """Ridge logistic regression with two joined outputs, fitted to some rows by L-BFGS.

    The problem starts at zero and draws nothing, so the same rows give the same read-out.

    Args:
        statistics: N x blocks x 3 x width.
        kinds: N of :data:`GENUINE`, :data:`LAID_IN`, :data:`MADE`.
        weights: N, mean 1 over ``rows``.
        rows: what is fitted to.
        config: of the fit.
        name: of this fit, for ``progress``.
        progress: told (name, evaluations, most, loss).

    Raises:
        TrainingError: the rows lack a class, or the loss is not finite.
    """
    if not {GENUINE} < set(kinds[rows].tolist()):
        raise TrainingError(
            "What is left to train on holds one class only.",
            hint="Leave fewer sources out, or add sources of the other class.",
            code="one-class",
        )
    model = TwoHeadReadOut(blocks=config.blocks, width=statistics.shape[-1])
    standardise(model, statistics, rows)
    values = torch.empty(len(rows), model.mean.numel())
    for start in range(0, len(rows), _AT_ONCE):
        part = torch.from_numpy(statistics[rows[start : start + _AT_ONCE]].astype(np.float32))
        values[start : start + len(part)] = (part.flatten(1) - model.mean) / model.scale
    with torch.no_grad():
        model.linear.weight.zero_()
        model.linear.bias.zero_()
    of_kind = torch.from_numpy(kinds[rows])
    weight = torch.from_numpy(weights[rows]).float()
    optimiser = torch.optim.LBFGS(
        model.linear.parameters(),
        max_iter=config.iterations,
        history_size=10,
        line_search_fn="strong_wolfe",
        tolerance_change=1e-7,
    )
    seen: list[float] = []

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = heads_loss(model.linear(values), of_kind, weight, config)
        loss = loss + 0.5 * config.ridge * model.linear.weight.square().sum()
        loss.backward()
        seen.append(float(loss.detach()))
        return loss

    optimiser.step(closure)
    if not np.isfinite(seen).all():
        raise TrainingError(
            f"The loss of {name} is not finite after {len(seen)} evaluations.",
            hint="Look for damaged rows in the cache of views.",
            code="loss-not-finite",
        )
    if progress is not None:
        progress(name, len(seen), len(seen), seen[-1])
    return model.eval().requires_grad_(False)


def heads_loss(heads: Tensor, kinds: Tensor, weights: Tensor, config: HeadConfig) -> Tensor:
    """Cross-entropy of the joined answer, and of each head on the genuine and its own kind.

    Args:
        heads: B x 2 logits.
        kinds: B.
        weights: B.
        config: for ``own_weight``.
    """
    fake = (kinds != GENUINE).float()
    loss = functional.binary_cross_entropy_with_logits(heads.logsumexp(1), fake, weight=weights)
    for head, kind in enumerate((LAID_IN, MADE)):
        own = (kinds == GENUINE) | (kinds == kind)
        if bool(own.any()):
            loss = loss + config.own_weight * functional.binary_cross_entropy_with_logits(
                heads[own, head], (kinds[own] == kind).float(), weight=weights[own]
            )
    return loss


def head_scores(
    model: TwoHeadReadOut, statistics: NDArray[np.float16], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """N x 2 logits of the heads."""
    found = np.zeros((len(rows), 2))
    with torch.inference_mode():
        for start in range(0, len(rows), _AT_ONCE):
            part = torch.from_numpy(statistics[rows[start : start + _AT_ONCE]].astype(np.float32))
            found[start : start + len(part)] = model.from_statistics(part).double().numpy()
    return found


def standardise(
    model: TwoHeadReadOut, statistics: NDArray[np.float16], rows: NDArray[np.int64]
) -> None:
    """Set the read-out's mean and deviation to those of some rows."""
    total = np.zeros(model.mean.numel())
    square = np.zeros_like(total)
    for start in range(0, len(rows), _AT_ONCE):
        part = statistics[rows[start : start + _AT_ONCE]].astype(np.float32)
        part = part.reshape(len(part), -1)
        total += part.sum(0, dtype=np.float64)
        square += (part**2).sum(0, dtype=np.float64)
    mean = total / len(rows)
    deviation = np.sqrt(np.maximum(square / len(rows) - mean**2, 0.0)) + 1e-3
    model.mean.copy_(torch.from_numpy(mean))
    model.scale.copy_(torch.from_numpy(deviation))
