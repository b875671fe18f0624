"""Train read-outs over cached block statistics: the recipe of the embedded detector.

The frozen tower is run once over every face; what is trained on top takes minutes on two cores.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from assistant.detectors.read_out import (
    ExpertsReadOut,
    PooledReadOut,
    ReadOut,
    StatisticsReadOut,
    SumReadOut,
)
from assistant.errors import TrainingError
from assistant.training.detector_config import ReadOutConfig
from assistant.training.splits import balanced_weights

__all__ = ["TrainingSet", "scores", "train_read_outs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """What a read-out learns from.

    ``statistics`` N x blocks x 3 x width (float16 or float32), ``labels`` N (1 = manipulated),
    ``weights`` N with mean 1; ``other_side``: as the first rows of ``statistics``, of the mirror
    images, drawn every other time; ``degraded``: the same of faces in a worse quality, drawn at
    ``degraded_share``; ``sources``: N names, for experts; ``blended``: N, True where a face was
    blended with itself.
    """

    statistics: NDArray[np.floating]
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]
    other_side: NDArray[np.floating] | None = None
    degraded: NDArray[np.floating] | None = None
    degraded_share: float = 0.0
    sources: NDArray[np.str_] | None = None
    blended: NDArray[np.bool_] | None = None

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
        for more in (self.other_side, self.degraded):
            if more is not None:
                digest.update(np.ascontiguousarray(more).tobytes())
        return digest.hexdigest()

    def drawn(self, rows: NDArray[np.int64], draws: np.random.Generator) -> torch.Tensor:
        """Float32 statistics of ``rows``; each in a look drawn from those that are known."""
        part = self.statistics[rows].astype(np.float32)
        for look, share in ((self.other_side, 0.5), (self.degraded, self.degraded_share)):
            if look is not None:
                chosen = np.flatnonzero((draws.random(len(rows)) < share) & (rows < len(look)))
                part[chosen] = look[rows[chosen]]
        return torch.from_numpy(part)

    def rows_of(self, sources: Sequence[str], *, blends: bool = True) -> NDArray[np.int64]:
        """The rows of some sources, with or without their blends.

        Raises:
            TrainingError: there are none, or it is not known which they are.
        """
        if self.sources is None:
            raise TrainingError("Experts need to know the source of every face.", code="no-sources")
        wanted = np.isin(self.sources, sources)
        if not blends and self.blended is not None:
            wanted &= ~self.blended
        kept = np.flatnonzero(wanted)
        if not len(kept):
            raise TrainingError(
                f"No training face is of {', '.join(sources)}.",
                hint="Name sources of the manifest in read_out.experts.",
                code="no-sources",
            )
        return kept

    def only(self, sources: Sequence[str], *, blends: bool = True) -> TrainingSet:
        """The rows of some sources, the classes in balance.

        Raises:
            TrainingError: as :meth:`rows_of`, or they lack a class.
        """
        kept = self.rows_of(sources, blends=blends)
        return replace(
            self,
            statistics=self.statistics[kept],
            labels=self.labels[kept],
            weights=balanced_weights(self.labels[kept], self.weights[kept]),
            other_side=_first(self.other_side, kept),
            degraded=_first(self.degraded, kept),
            sources=None if self.sources is None else self.sources[kept],
            blended=None if self.blended is None else self.blended[kept],
        )


def _first(
    look: NDArray[np.floating] | None, rows: NDArray[np.int64]
) -> NDArray[np.floating] | None:
    """The rows (in rising order) of a look at the first faces of a set."""
    return None if look is None else look[rows[rows < len(look)]]


def train_read_outs(
    data: TrainingSet,
    config: ReadOutConfig,
    *,
    width: int,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[str, int, int, float], None] | None = None,
) -> SumReadOut:
    """Train ``config.members`` read-outs and average them, and the experts beside them.

    A checkpoint is written after every epoch; the same call again goes on from there and ends with
    the same weights as a run that was not stopped.

    Raises:
        TrainingError: the loss is not finite (the batch is named), or the checkpoint belongs to
            other data or another configuration.
    """
    members: list[ReadOut] = []
    for number in range(config.members):
        path = None if checkpoint is None else checkpoint.with_suffix(f".{number}.pt")
        name = f"member {number + 1}"
        members.append(_train_one(data, config, width, seed + number, path, name, progress))
    if not config.experts:
        return SumReadOut(members, [1.0 / len(members)] * len(members)).eval()
    experts = ExpertsReadOut(
        blocks=config.blocks, width=width, hidden=[e.hidden for e in config.experts]
    )
    for number, expert in enumerate(config.experts):
        path = None if checkpoint is None else checkpoint.with_suffix(f".expert-{number}.pt")
        own = config.model_copy(
            update={"hidden": expert.hidden, "epochs": expert.epochs, "batch": expert.batch}
        )
        name = f"expert of {', '.join(expert.sources)}"
        known = data.only(expert.sources, blends=expert.blends)
        experts.experts[number] = _train_one(known, own, width, seed, path, name, progress)
    _train_gate(experts, data, config, seed, progress)
    share = config.expert_share if members else 1.0
    weights = [(1.0 - share) / len(members)] * len(members) + [share]
    return SumReadOut([*members, experts], weights).eval()


def _train_gate(
    experts: ExpertsReadOut,
    data: TrainingSet,
    config: ReadOutConfig,
    seed: int,
    progress: Callable[[str, int, int, float], None] | None,
) -> None:
    """Teach the gate which expert a face belongs to; every expert counts the same."""
    _standardise(experts, data.statistics)
    nn.init.zeros_(experts.gate.weight)  # every expert the same, whatever was drawn before
    nn.init.zeros_(experts.gate.bias)
    own = np.full(len(data.labels), -1, np.int64)
    for number, expert in enumerate(config.experts):
        own[data.rows_of(expert.sources, blends=False)] = number
    known = np.flatnonzero(own >= 0)
    share = 1.0 / torch.bincount(torch.from_numpy(own[known]), minlength=len(config.experts))
    optimiser = torch.optim.AdamW(
        experts.gate.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    torch.manual_seed(seed)
    for epoch in range(config.gate_epochs):
        draws = np.random.default_rng((seed, 2, epoch))
        order, total = draws.permutation(known), 0.0
        parts = [order[i : i + config.batch] for i in range(0, len(order), config.batch)]
        for rows in parts:
            values = data.drawn(rows, draws)
            loss = functional.cross_entropy(
                experts.gate_logits(values), torch.from_numpy(own[rows]), weight=share.float()
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach())
        if progress is not None:
            progress("gate", epoch + 1, config.gate_epochs, total / len(parts))


def scores(read_out: SumReadOut, statistics: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logits of N x blocks x 3 x width statistics."""
    out = np.empty(len(statistics), np.float64)
    with torch.inference_mode():
        for start in range(0, len(statistics), 1024):
            part = torch.from_numpy(statistics[start : start + 1024].astype(np.float32))
            out[start : start + len(part)] = read_out.from_statistics(part).double().numpy()
    return out


def _train_one(
    data: TrainingSet,
    config: ReadOutConfig,
    width: int,
    seed: int,
    path: Path | None,
    name: str,
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
            part = data.drawn(rows, draws)
            target = labels[rows] * (1 - 2 * config.label_smoothing) + config.label_smoothing
            logits = model.from_statistics(part)
            loss = functional.binary_cross_entropy_with_logits(logits, target, weight=weights[rows])
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
            progress(name, epoch + 1, config.epochs, mean)
    return model.eval()


def _standardise(model: PooledReadOut, statistics: NDArray[np.floating]) -> None:
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
