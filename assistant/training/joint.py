"""LayerNorms, low-rank updates and read-outs trained together, with masks where they are known.

LayerNorm tuning (arXiv 2503.19683) of a tower that is read at several blocks, started from a
read-out of the frozen tower. Every batch is made of pairs (GenD, arXiv 2508.06248): a manipulated
face beside a real one of its video, or a blended face beside the face it was made from. The masks
of blended faces (arXiv 2204.08376) teach the patches' logits.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.low_rank import attach_low_rank
from assistant.detectors.read_out import (
    PatchEvidenceReadOut,
    ReadOut,
    StatisticsReadOut,
    SumReadOut,
    token_statistics,
)
from assistant.detectors.tower import Tower, TowerLayout, embed, run_block
from assistant.errors import TrainingError
from assistant.evaluation.detection_metrics import auroc
from assistant.training.detector_config import JointConfig
from assistant.training.layer_norms import tuned_norms
from assistant.training.pair_mix import Batch, PairMix
from assistant.training.run_state import RunState
from assistant.types import Image

__all__ = ["JointModel", "Jointly", "train_jointly"]

_LOG = logging.getLogger(__name__)


class JointModel(nn.Module):
    """The tower up to the last block that is read, and the sum of its two read-outs."""

    def __init__(
        self,
        tower: Tower,
        layout: TowerLayout,
        statistics: ReadOut,
        config: JointConfig,
        evidence: PatchEvidenceReadOut | None = None,
    ) -> None:
        super().__init__()
        self.layout = layout
        self.config = config
        self.tower = tower.to(torch.bfloat16 if config.precision == "bfloat16" else torch.float32)
        blocks = statistics.blocks
        self.trained_evidence = evidence is not None
        self.evidence = evidence or PatchEvidenceReadOut(
            blocks=blocks, width=layout.width, hidden=config.hidden, grid=layout.grid[0]
        )
        self.read_out = SumReadOut([statistics, self.evidence], [config.share, 1.0 - config.share])
        self.depth = max(blocks) + 1
        tuned = range(config.lowest_block, self.depth)
        self.norms = {
            name: parameter
            for name, parameter in tuned_norms(tower, config.lowest_block).items()
            if name.startswith("transformer.") and int(name.split(".")[2]) < self.depth
        }
        for parameter in self.norms.values():
            parameter.data = parameter.data.float()  # steps too small for bfloat16 must count
            parameter.requires_grad_(True)
        self.low_rank = attach_low_rank(tower, tuned, config.rank) if config.rank else {}

    def read_with(self, statistics: SumReadOut, share: float) -> None:
        """Read with these and the patch evidence; ``share`` is that of the statistics."""
        members = [cast("ReadOut", member) for member in statistics.members]
        weights = [share * weight for weight in statistics.weights]
        self.read_out = SumReadOut([*members, self.evidence], [*weights, 1.0 - share])

    def statistics(self, crops: list[Image]) -> NDArray[np.float32]:
        """B x blocks x 3 x width statistics of RGB uint8 crops, as a read-out is trained on."""
        with torch.inference_mode():
            kept = [token_statistics(tokens) for tokens in self.tokens(crops)]
        found: NDArray[np.float32] = torch.stack(kept, dim=1).cpu().numpy()
        return found

    def tokens(self, crops: list[Image]) -> list[Tensor]:
        """The read blocks' tokens of RGB uint8 crops, float32."""
        kind = self.tower.conv1.weight.dtype
        device = self.tower.conv1.weight.device
        state = embed(self.tower, self.layout.normalised(crops).to(device, kind))
        kept = []
        for index in range(self.depth):
            with torch.set_grad_enabled(
                torch.is_grad_enabled() and index >= self.config.lowest_block
            ):
                state = run_block(self.tower.transformer.resblocks[index], state)
            if index in self.read_out.blocks:
                kept.append(state.float())
        return kept

    def logits(
        self, crops: list[Image], *, batch: int = 16, mirror: bool = False
    ) -> NDArray[np.float64]:
        """Raw scores of RGB uint8 crops; ``mirror``: the mean with those of their mirror images."""
        if mirror:
            turned = [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
            return 0.5 * (self.logits(crops, batch=batch) + self.logits(turned, batch=batch))
        self.read_out.eval()
        with torch.inference_mode():
            parts = [
                self.read_out(self.tokens(crops[i : i + batch])).double().cpu().numpy()
                for i in range(0, len(crops), batch)
            ]
        return np.concatenate(parts) if parts else np.zeros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jointly:
    """What joint training ends with: the best values, and the validation score of each period."""

    norms: dict[str, Tensor]
    low_rank: dict[str, Tensor]
    read_out: dict[str, Tensor]
    validation: list[float]


def train_jointly(
    model: JointModel,
    mix: PairMix,
    validation: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
    *,
    seed: int,
    checkpoint: Path | None = None,
    log: Path | None = None,
    progress: Callable[[str, int, int, float], None] | None = None,
) -> Jointly:
    """Train ``model`` in place.

    Args:
        model: started from a trained statistics read-out.
        mix: draws the batches of a step.
        validation: by source: rows of other videos, and their labels. The mean AUROC decides which
            period's average is kept.
        seed: of all that is drawn.
        checkpoint: written every ``config.checkpoint_steps`` steps; the same call goes on from it.
        log: CSV of ``step,name,value``: losses every ten steps, AUROC at every validation.
        progress: told ("tuning", steps done, in all, loss or AUROC).

    Raises:
        TrainingError: the loss is not finite (the batch is named), or a foreign checkpoint.
    """
    config = model.config
    named = _named(model)
    optimiser = torch.optim.AdamW(_groups(model), weight_decay=config.weight_decay)
    rates = [float(group["lr"]) for group in optimiser.param_groups]
    # Used when training is over:
    after = {"interpolation", "final_share", "keep", "stop_after", "refit"}
    trained = config.model_dump(mode="json", exclude=after)
    key = json.dumps([trained, mix.key, seed, sorted(named)])
    state = RunState(
        named,
        optimiser,
        key=key,
        path=checkpoint,
        average=config.average,
        every=config.checkpoint_steps,
        patience=config.patience,
    )
    if not model.trained_evidence:
        _standardise(model, mix, seed)
    state.restore()
    periods = math.ceil(config.steps_made / config.period)
    began, made = time.monotonic(), 0
    for period in range(state.epoch, periods):
        steps = min(config.period, config.steps_made - period * config.period)
        for number in range(state.batch, steps):
            step = period * config.period + number
            share = _rate(step, config)
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * share
            torch.manual_seed(seed * 1_000_003 + step)
            batch = mix.draw(step)
            loss, parts = _loss(model, batch)
            if not bool(torch.isfinite(loss)):
                raise TrainingError(
                    f"The loss is not finite in step {step + 1} (rows "
                    f"{', '.join(str(r) for r in batch.rows[:8])} ...).",
                    hint="Look at these rows, or lower the learning rates.",
                    code="loss-not-finite",
                )
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(named.values()), config.clip)
            optimiser.step()
            state.stepped(period, number + 1)
            made += 1
            if step % 10 == 9:
                pace = (time.monotonic() - began) / made
                values = {**parts, "seconds_left": pace * (config.steps_made - step - 1)}
                _write(log, step + 1, values)
                if progress is not None:
                    progress("tuning", step + 1, config.steps_made, parts["loss"])
        with state.averaged():
            scores = _validate(model, mix, validation)
        value = float(np.mean(list(scores.values())))
        _write(
            log, min(config.steps_made, (period + 1) * config.period), {"auroc": value, **scores}
        )
        state.epoch_done(period, value)
        _LOG.info("period %d of %d: %s", period + 1, periods, scores)
        if progress is not None:
            progress("validation", period + 1, periods, value)
        if state.exhausted():
            break
    last = config.keep == "last"
    return Jointly(
        norms=state.best("norm.", last=last),
        low_rank=state.best("low_rank.", last=last),
        read_out={
            **{n: b.cpu() for n, b in model.read_out.named_buffers()},
            **state.best("read_out.", last=last),
        },
        validation=state.validation,
    )


def _named(model: JointModel) -> dict[str, Tensor]:
    return {
        **{f"norm.{n}": p for n, p in model.norms.items()},
        **{f"low_rank.{n}": p for n, p in model.low_rank.items()},
        **{f"read_out.{n}": p for n, p in model.read_out.named_parameters()},
    }


def _groups(model: JointModel) -> list[dict[str, object]]:
    config = model.config
    statistics = [m for m in model.read_out.modules() if isinstance(m, StatisticsReadOut)]
    groups: list[dict[str, object]] = [
        {"params": list(model.norms.values()), "lr": config.norm_rate, "weight_decay": 0.0},
        {"params": list(model.low_rank.values()), "lr": config.low_rank_rate},
        {"params": [p for m in statistics for p in m.parameters()], "lr": config.statistics_rate},
        {"params": list(model.evidence.parameters()), "lr": config.evidence_rate},
    ]
    return [group for group in groups if group["params"]]


def _standardise(model: JointModel, mix: PairMix, seed: int) -> None:
    """Mean and deviation of the evidence read-out's input, from some training crops."""
    rng = np.random.default_rng((seed, 5))
    with torch.no_grad():
        tokens = model.tokens(mix.some(64, rng))
        flat = torch.cat([t[:, 1:] for t in tokens], dim=-1).flatten(0, 1)
        model.evidence.mean.copy_(flat.mean(0))
        model.evidence.scale.copy_(flat.std(0) + 1e-3)


def _rate(step: int, config: JointConfig) -> float:
    """Share of the learning rates: linear warm-up, then cosine to a fiftieth."""
    if step < config.warm_up:
        return (step + 1) / config.warm_up
    done = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * done))


def _loss(model: JointModel, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    config = model.config
    model.read_out.train()
    device = model.tower.conv1.weight.device
    tokens = model.tokens(batch.crops)
    labels = torch.from_numpy(batch.labels).float().to(device)
    target = labels * (1 - 2 * config.label_smoothing) + config.label_smoothing
    first = model.read_out.members[0](tokens)  # both read the same blocks
    patches = model.evidence.patch_logits(tokens)
    second = model.evidence.pooled(patches)
    both = model.read_out.weights[0] * first + model.read_out.weights[1] * second
    whole, one, two = (
        functional.binary_cross_entropy_with_logits(logits, target)
        for logits in (both, first, second)
    )
    known = torch.from_numpy(batch.mask_weight).to(device)
    cells = functional.adaptive_avg_pool2d(
        torch.from_numpy(batch.masks)[:, None], model.layout.grid
    ).flatten(1)
    each = functional.binary_cross_entropy_with_logits(
        patches, cells.to(device), reduction="none"
    ).mean(1)
    masks = (each * known).sum() / known.sum().clamp_min(1.0)
    views = both.view(config.views, -1)
    spread = (views - views.mean(0)).square().mean() * 2.0  # of two views: (a - b)^2 / 2
    loss = (
        whole
        + config.part_weight * (one + two)
        + config.mask_weight * masks
        + config.consistency * spread
    )
    shown = {
        "loss": loss,
        "face": whole,
        "statistics": one,
        "evidence": two,
        "masks": masks,
        "spread": spread,
    }
    return loss, {name: round(float(value.detach()), 4) for name, value in shown.items()}


def _validate(
    model: JointModel,
    mix: PairMix,
    validation: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> dict[str, float]:
    scores = {}
    for source, (rows, labels) in validation.items():
        value = auroc(labels, model.logits([mix.crop(int(r)) for r in rows]))
        scores[source] = float("nan") if value is None else round(value, 4)
    return scores


def _write(log: Path | None, step: int, values: dict[str, float]) -> None:
    if log is None:
        return
    new = not log.exists()
    with log.open("a", encoding="utf-8") as file:
        if new:
            file.write("step,name,value\n")
        file.writelines(f"{step},{name},{value:.4f}\n" for name, value in values.items())
