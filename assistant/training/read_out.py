"""Train read-outs over cached block statistics: the recipe of the embedded detector.

The frozen tower is run once over every face; what is trained on top takes minutes on two cores.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from assistant.detectors.read_out import StatisticsReadOut, SumReadOut
from assistant.errors import TrainingError
from assistant.training.detector_config import ReadOutConfig

__all__ = ["TrainingSet", "scores", "train_read_outs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """What a read-out learns from.

    ``statistics`` N x blocks x 3 x width (float16 or float32), ``labels`` N (1 = manipulated),
    ``weights`` N with mean 1; ``changes``: M x blocks x 3 x width, what small moves of the crop did
    to the statistics of M faces, which is added to others so that a read-out learns to ignore it.
    """

    statistics: NDArray[np.floating]
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]
    changes: NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        if not len(self.statistics) == len(self.labels) == len(self.weights):
            raise ValueError("statistics, labels and weights differ in length")
        if len(set(self.labels.tolist())) < 2:
            raise TrainingError(
                "The training part holds one class only.",
                hint="The manifest needs real and manipulated faces.",
                code="one-class",
            )

    def sha256(self) -> str:
        """Hash of labels, weights and statistics: a checkpoint of other data is refused."""
        digest = hashlib.sha256(np.ascontiguousarray(self.statistics).tobytes())
        digest.update(self.labels.tobytes())
        digest.update(self.weights.tobytes())
        if self.changes is not None:
            digest.update(np.ascontiguousarray(self.changes).tobytes())
        return digest.hexdigest()


def train_read_outs(
    data: TrainingSet,
    config: ReadOutConfig,
    *,
    width: int,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[str, int, int, float], None] | None = None,
) -> SumReadOut:
    """Train ``config.members`` read-outs and average them.

    A checkpoint is written after every epoch; the same call again goes on from there and ends with
    the same weights as a run that was not stopped.

    Raises:
        TrainingError: the loss is not finite (the batch is named), or the checkpoint belongs to
            other data or another configuration.
    """
    members = []
    for number in range(config.members):
        path = None if checkpoint is None else checkpoint.with_suffix(f".{number}.pt")
        member = _train_one(data, config, width, seed + number, path, number, progress)
        members.append(member)
    return SumReadOut(members, [1.0 / len(members)] * len(members)).eval()


def scores(read_out: SumReadOut, statistics: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logits of N x blocks x 3 x width statistics."""
    out = np.empty(len(statistics), np.float64)
    with torch.inference_mode():
        for start in range(0, len(statistics), 1024):
            part = torch.from_numpy(statistics[start : start + 1024].astype(np.float32))
            logits = torch.zeros(len(part))
            for member, weight in zip(read_out.members, read_out.weights, strict=True):
                assert isinstance(member, StatisticsReadOut)  # noqa: S101 - made above
                logits = logits + weight * member.from_statistics(part)
            out[start : start + len(part)] = logits.double().numpy()
    return out


def _train_one(
    data: TrainingSet,
    config: ReadOutConfig,
    width: int,
    seed: int,
    path: Path | None,
    number: int,
    progress: Callable[[str, int, int, float], None] | None,
) -> StatisticsReadOut:
    torch.manual_seed(seed)
    model = StatisticsReadOut(blocks=config.blocks, width=width, hidden=config.hidden)
    _standardise(model, data.statistics)
    labels = torch.from_numpy(data.labels).float()
    weights = torch.from_numpy(data.weights).float()
    batch = min(config.batch, len(labels))
    steps = config.epochs * (len(labels) // batch)
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=steps + 1, pct_start=0.15
    )
    key = f"{data.sha256()} {json.dumps(config.model_dump())} {seed}"
    first = _restore(path, key, model, optimiser, schedule)
    for epoch in range(first, config.epochs):
        model.train()
        torch.manual_seed(
            seed * 10_007 + epoch
        )  # dropout after a resume is what it would have been
        draws = np.random.default_rng((seed, epoch))
        order = draws.permutation(len(labels))
        total = 0.0
        for start in range(0, len(order) - batch + 1, batch):
            rows = order[start : start + batch]
            part = torch.from_numpy(data.statistics[rows].astype(np.float32))
            target = labels[rows] * (1 - 2 * config.label_smoothing) + config.label_smoothing
            logits = model.from_statistics(part)
            loss = functional.binary_cross_entropy_with_logits(logits, target, weight=weights[rows])
            if data.changes is not None:
                drawn = draws.integers(0, len(data.changes), len(rows))
                moved = part + torch.from_numpy(data.changes[drawn].astype(np.float32))
                other = model.from_statistics(moved)
                loss = 0.5 * loss + 0.5 * functional.binary_cross_entropy_with_logits(
                    other, target, weight=weights[rows]
                )
                loss = loss + config.consistency * (logits - other).square().mean()
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
        _save(path, key, epoch + 1, model, optimiser, schedule)
        if progress is not None:
            mean = total / max(1, len(order) // batch)
            progress(f"member {number + 1}", epoch + 1, config.epochs, mean)
    return model.eval()


def _standardise(model: StatisticsReadOut, statistics: NDArray[np.floating]) -> None:
    count = len(statistics)
    total = np.zeros(model.mean.numel(), np.float64)
    square = np.zeros_like(total)
    for start in range(0, count, 1024):
        part = statistics[start : start + 1024].astype(np.float64).reshape(-1, len(total))
        total += part.sum(0)
        square += (part**2).sum(0)
    mean = total / count
    deviation = np.sqrt(np.maximum(square / count - mean**2, 0.0)) + 1e-3
    model.mean.copy_(torch.from_numpy(mean))
    model.scale.copy_(torch.from_numpy(deviation))


def _save(
    path: Path | None,
    key: str,
    epoch: int,
    model: StatisticsReadOut,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> None:
    if path is None:
        return
    draft = path.with_name(f".{path.name}")
    torch.save(
        {
            "key": key,
            "epoch": epoch,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
        },
        draft,
    )
    draft.replace(path)


def _restore(
    path: Path | None,
    key: str,
    model: StatisticsReadOut,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> int:
    if path is None or not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    if state["key"] != key:
        raise TrainingError(
            f"The checkpoint {path.name} belongs to other data or another configuration.",
            hint="Delete it, or choose another --work folder.",
            code="other-checkpoint",
        )
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return int(state["epoch"])
