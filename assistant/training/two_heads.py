"""Train the two-head read-out over cached views: the last stage of the embedded recipe."""

from __future__ import annotations

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

__all__ = [
    "GENUINE",
    "LAID_IN",
    "MADE",
    "HeadConfig",
    "HeadData",
    "head_scores",
    "heads_loss",
    "train_heads",
]

GENUINE, LAID_IN, MADE = 0, 1, 2
Progress = Callable[[str, int, int, float], None]


class HeadConfig(BaseModel):
    """How the two-head read-out is built and trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: tuple[int, ...] = (3, 5, 6, 8)
    hidden: int = Field(default=96, ge=1, le=4096)
    channels: int = Field(default=48, ge=1, le=1024)
    dimensions: int = Field(default=128, ge=1, description="of a patch while training")
    share: float = Field(default=0.5, ge=0, le=0.5, description="of the statistics in the logit")
    epochs: int = Field(default=10, ge=1, le=1000)
    batch: int = Field(default=256, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.5, ge=0)
    label_smoothing: float = Field(default=0.04, ge=0, lt=0.5)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    part_weight: float = Field(default=0.5, ge=0, description="of each part's own loss")
    mask_weight: float = Field(default=0.5, ge=0, description="of the patches' loss on masks")
    mixed: float = Field(
        default=0.0, ge=0, le=1, description="weight of fakes mixed of features (arXiv 2602.20412)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadData:
    """What is learnt: N views.

    ``statistics`` N x blocks x 3 x width and ``patches`` N x cells x dimensions (float16);
    ``masks`` N x cells, share of a cell that was laid in, NaN where that is not known; ``kinds`` N
    of :data:`GENUINE`, :data:`LAID_IN`, :data:`MADE`; ``weights`` N with mean 1.
    """

    statistics: NDArray[np.float16]
    patches: NDArray[np.float16]
    masks: NDArray[np.float16]
    kinds: NDArray[np.int64]
    weights: NDArray[np.float64]


def train_heads(
    data: HeadData,
    rows: NDArray[np.int64],
    config: HeadConfig,
    *,
    seed: int,
    name: str = "heads",
    progress: Progress | None = None,
) -> TwoHeadReadOut:
    """Train on some rows; the same rows and seed give the same read-out.

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
    cells = data.patches.shape[1]
    model = TwoHeadReadOut(
        blocks=config.blocks,
        width=data.statistics.shape[-1],
        hidden=config.hidden,
        channels=config.channels,
        grid=round(cells**0.5),
        share=config.share,
        reduced=data.patches.shape[2],
        dropout=config.dropout,
    )
    _standardise(model, data, rows)
    batch = min(config.batch, len(rows))
    steps = config.epochs * (len(rows) // batch)
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=steps + 1, pct_start=0.15
    )
    model.train()
    for epoch in range(config.epochs):
        order = np.random.default_rng((seed, epoch)).permutation(rows)
        total = 0.0
        for start in range(0, len(order) - batch + 1, batch):
            part = np.sort(order[start : start + batch])
            loss = heads_loss(
                model,
                *_drawn(data, part),
                torch.from_numpy(data.kinds[part]),
                torch.from_numpy(data.weights[part]).float(),
                torch.from_numpy(data.masks[part].astype(np.float32)),
                config,
            )
            if not bool(torch.isfinite(loss)):
                raise TrainingError(
                    f"The loss is not finite in epoch {epoch + 1}, batch {start // batch + 1}.",
                    hint="Look for damaged rows in the cache, or lower the learning rate.",
                    code="loss-not-finite",
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        if progress is not None:
            progress(name, epoch + 1, config.epochs, total / max(1, len(order) // batch))
    return model.eval().requires_grad_(False)


def head_scores(
    model: TwoHeadReadOut, data: HeadData, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """N x 2 logits of the heads."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(rows), 512):
            part = rows[start : start + 512]
            statistics, patches = _drawn(data, part)
            evidence = model.pooled(model.patch_head_logits(patches))
            found.append(model.joined(model.statistics_logits(statistics), evidence).double())
    joined: NDArray[np.float64] = torch.cat(found).numpy() if found else np.zeros((0, 2))
    return joined


def _drawn(data: HeadData, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    return (
        torch.from_numpy(data.statistics[rows].astype(np.float32)),
        torch.from_numpy(data.patches[rows].astype(np.float32)),
    )


def heads_loss(
    model: TwoHeadReadOut,
    statistics: Tensor,
    patches: Tensor,
    kinds: Tensor,
    weights: Tensor,
    masks: Tensor,
    config: HeadConfig,
) -> Tensor:
    """What is minimised: the joined answer's loss, each part's own, and the patches' on masks.

    ``masks`` B x cells, NaN where it is not known what was laid in.
    """
    each = model.patch_head_logits(patches)
    of_statistics, of_patches = model.statistics_logits(statistics), model.pooled(each)
    smooth = config.label_smoothing
    loss = _head_loss(model.joined(of_statistics, of_patches), kinds, weights, smooth)
    for part in (of_statistics, of_patches):
        loss = loss + config.part_weight * _head_loss(part, kinds, weights, smooth)
    known = ~torch.isnan(masks[:, 0])
    if config.mask_weight and bool(known.any()):
        cells = functional.binary_cross_entropy_with_logits(
            each[known, 0], masks[known], reduction="none"
        )
        loss = loss + config.mask_weight * (cells.mean(1) * weights[known]).mean()
    if config.mixed:
        loss = loss + config.mixed * _mixed_loss(model, statistics, patches, kinds, smooth)
    return loss


def _head_loss(heads: Tensor, kinds: Tensor, weights: Tensor, smooth: float) -> Tensor:
    """Of the joined answer, and of each head on the genuine and its own kind."""
    fake = (kinds != GENUINE).float()
    loss = _entropy(torch.logsumexp(heads, dim=1), fake, weights, smooth)
    for head, kind in enumerate((LAID_IN, MADE)):
        own = (kinds == GENUINE) | (kinds == kind)
        if bool(own.any()):
            loss = loss + 0.5 * _entropy(
                heads[own, head], (kinds[own] == kind).float(), weights[own], smooth
            )
    return loss


def _mixed_loss(
    model: TwoHeadReadOut, statistics: Tensor, patches: Tensor, kinds: Tensor, smooth: float
) -> Tensor:
    """Genuine features blended with manipulated ones are manipulated too (arXiv 2602.20412)."""
    fakes, reals = torch.nonzero(kinds != GENUINE)[:, 0], torch.nonzero(kinds == GENUINE)[:, 0]
    count = min(len(fakes), len(reals))
    if not count:
        return statistics.new_zeros(())
    fakes = fakes[torch.randperm(len(fakes))[:count]]
    reals = reals[torch.randperm(len(reals))[:count]]
    share = 0.3 + 0.5 * torch.rand(count)
    between = torch.lerp(statistics[reals], statistics[fakes], share.view(-1, 1, 1, 1))
    cells = torch.lerp(patches[reals], patches[fakes], share.view(-1, 1, 1))
    evidence = model.pooled(model.patch_head_logits(cells))
    heads = model.joined(model.statistics_logits(between), evidence)
    return _entropy(torch.logsumexp(heads, dim=1), torch.ones(count), torch.ones(count), smooth)


def _entropy(logits: Tensor, target: Tensor, weights: Tensor, smooth: float) -> Tensor:
    softened = target * (1 - 2 * smooth) + smooth
    return functional.binary_cross_entropy_with_logits(logits, softened, weight=weights)


def _standardise(model: TwoHeadReadOut, data: HeadData, rows: NDArray[np.int64]) -> None:
    total = np.zeros(model.mean.numel())
    square = np.zeros_like(total)
    for start in range(0, len(rows), 1024):
        part = data.statistics[rows[start : start + 1024]].astype(np.float64)
        part = part.reshape(len(part), -1)
        total += part.sum(0)
        square += (part**2).sum(0)
    mean = total / len(rows)
    deviation = np.sqrt(np.maximum(square / len(rows) - mean**2, 0.0)) + 1e-3
    model.mean.copy_(torch.from_numpy(mean))
    model.scale.copy_(torch.from_numpy(deviation))
