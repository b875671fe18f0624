"""LayerNorm tuning: the published recipe, as a loop that resumes.

Yermakov, Cech, Matas (arXiv 2503.19683) and GenD (arXiv 2508.06248): all weights frozen but the
LayerNorms and a linear head on the L2-normalised class token; cross-entropy, uniformity and
alignment; AdamW with warm-up and cosine restarts.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from assistant.detectors.read_out import ClassTokenReadOut
from assistant.detectors.tower import Tower, embed, layer_norms, run_blocks
from assistant.evaluation.detection_metrics import auroc
from assistant.training.detector_config import TuningConfig
from assistant.training.losses import (
    alignment_loss,
    descend,
    paired_batches,
    slerp_within_classes,
    uniformity_loss,
)
from assistant.training.run_state import RunState

__all__ = [
    "Tuned", "features_of", "learning_rate", "logits_of", "tune_layer_norms", "tuned_norms",
]  # fmt: skip

_LOG = logging.getLogger(__name__)
Pictures = Callable[[NDArray[np.int64], int], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The best LayerNorms and head, and the validation AUROC after every epoch."""

    norms: dict[str, Tensor]
    head: dict[str, Tensor]
    validation: list[float]


def tuned_norms(tower: Tower, lowest_block: int = 0) -> dict[str, Tensor]:
    """The LayerNorms that are tuned: those of ``lowest_block`` and above, and the last."""
    kept = {}
    for name, parameter in layer_norms(tower).items():
        parts = name.split(".")
        if parts[0] == "transformer" and int(parts[2]) < lowest_block:
            continue
        if parts[0] == "ln_pre" and lowest_block > 0:
            continue
        kept[name] = parameter
    return kept


def learning_rate(step: int, *, steps_per_epoch: int, config: TuningConfig) -> float:
    """Linear warm-up, then cosine from first to last rate, over again by ``restart_epochs``."""
    epoch = step / max(1, steps_per_epoch)
    if epoch < config.warm_up_epochs:
        return config.learning_rate * (step + 1) / (config.warm_up_epochs * steps_per_epoch + 1)
    within = (epoch - config.warm_up_epochs) % config.restart_epochs / config.restart_epochs
    share = 0.5 * (1.0 + math.cos(math.pi * within))
    return config.last_learning_rate + share * (config.learning_rate - config.last_learning_rate)


def tune_layer_norms(
    tower: Tower,
    head: ClassTokenReadOut,
    pictures: Pictures,
    labels: NDArray[np.int64],
    videos: Sequence[str],
    validation: tuple[NDArray[np.int64], NDArray[np.int64]],
    config: TuningConfig,
    *,
    seed: int,
    entry: int = 0,
    checkpoint: Path | None = None,
    device: str = "cpu",
) -> Tuned:
    """Tune ``tower``'s LayerNorms and ``head`` in place.

    Args:
        tower: frozen, loaded.
        head: the class-token head.
        pictures: gives the normalised pictures (B x 3 x H x W) of some rows; its second argument is
            a seed for augmentation, 0 for none.
        labels: N, of all rows.
        videos: N source videos.
        validation: training rows and validation rows (of other videos).
        config: of the recipe.
        seed: of order, augmentation and slerp.
        entry: the first block to run; above 0, ``pictures`` gives the tokens that enter it.
        checkpoint: written every ``config.checkpoint_steps`` steps; the same call goes on from it.
        device: a torch device.

    Raises:
        TrainingError: the loss is not finite (the batch is named), or a foreign checkpoint.
    """
    rows, held = validation
    tower.to(device).requires_grad_(False)
    head.to(device)
    norms = tuned_norms(tower, config.lowest_block) if config.layer_norms else {}
    tuned = [*norms.values(), *head.parameters()]
    for parameter in tuned:
        parameter.requires_grad_(True)
    optimiser = torch.optim.AdamW(
        tuned, config.learning_rate, betas=(0.9, 0.999), weight_decay=config.weight_decay
    )
    run = torch.compile(features_of) if config.compile else features_of
    named = {
        **{f"norm.{n}": p for n, p in norms.items()},
        **{f"head.{n}": p for n, p in head.named_parameters()},
    }
    run_state = RunState(
        named,
        optimiser,
        key=json.dumps([config.model_dump(mode="json"), seed, sorted(named)]),
        path=checkpoint,
        every=config.checkpoint_steps,
    )
    run_state.restore()
    batches_per_epoch = sum(1 for _ in _batches(rows, labels, videos, config, seed, 0))
    for epoch in tqdm(range(run_state.epoch, config.epochs), "epochs"):
        for number, batch in enumerate(_batches(rows, labels, videos, config, seed, epoch)):
            if number < run_state.batch:
                continue
            step = epoch * batches_per_epoch + number
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step, steps_per_epoch=batches_per_epoch, config=config)
            images = pictures(batch, 1 + step if config.augment else 0).to(device)
            target = torch.from_numpy(labels[batch]).to(device)
            generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
            with torch.autocast(device, torch.bfloat16, enabled=config.precision == "bfloat16"):
                loss = _loss(run, tower, head, images, target, config, generator, entry)
            descend(
                optimiser,
                loss,
                f"in epoch {epoch + 1}, batch {number + 1} "
                f"(rows {', '.join(str(r) for r in batch[:8])} ...)",
                hint="Look at these rows, or lower the learning rate.",
            )
            run_state.stepped(epoch, number + 1)
        scores = logits_of(
            tower, head, pictures, held, entry=entry, device=device, batch=config.batch
        )
        found = auroc(labels[held], scores)
        value = float("nan") if found is None else found
        run_state.epoch_done(epoch, value)
        _LOG.info("epoch %d: AUROC %.4f", epoch + 1, value)
    return Tuned(
        norms=_under("norm.", run_state.best),
        head=_under("head.", run_state.best),
        validation=run_state.validation,
    )


def _under(prefix: str, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose name begins so, without it, on the CPU."""
    return {n.removeprefix(prefix): t.cpu() for n, t in values.items() if n.startswith(prefix)}


def features_of(tower: Tower, head: ClassTokenReadOut, images: Tensor, entry: int) -> Tensor:
    """The class token after the last LayerNorm."""
    entered = images if entry else embed(tower, images)
    tokens = run_blocks(tower, entered, range(entry, head.blocks[0] + 1))[-1]
    features: Tensor = head.feature([tower.ln_post(tokens)])
    return features


def _loss(
    run: Callable[[Tower, ClassTokenReadOut, Tensor, int], Tensor],
    tower: Tower,
    head: ClassTokenReadOut,
    images: Tensor,
    target: Tensor,
    config: TuningConfig,
    generator: torch.Generator,
    entry: int,
) -> Tensor:
    features = run(tower, head, images, entry).float()
    unit = functional.normalize(features, dim=-1)
    if config.slerp:
        unit = slerp_within_classes(unit, target, generator=generator)
        features = unit if config.normalise else features
    loss = functional.cross_entropy(head.linear(features).float(), target)
    if config.uniformity:
        loss = loss + config.uniformity * uniformity_loss(unit)
    if config.alignment:
        loss = loss + config.alignment * alignment_loss(unit, target)
    return loss


def _batches(
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    videos: Sequence[str],
    config: TuningConfig,
    seed: int,
    epoch: int,
) -> Iterator[NDArray[np.int64]]:
    if config.paired:
        own = [videos[i] for i in rows]
        for batch in paired_batches(labels[rows], own, batch=config.batch, seed=seed, epoch=epoch):
            yield rows[batch]
        return
    order = np.random.default_rng((seed, epoch)).permutation(rows)
    for start in range(0, max(1, len(order) - config.batch + 1), config.batch):
        yield order[start : start + config.batch]


def logits_of(
    tower: Tower,
    head: ClassTokenReadOut,
    pictures: Pictures,
    rows: NDArray[np.int64],
    *,
    entry: int,
    device: str,
    batch: int = 16,
) -> NDArray[np.float64]:
    """The logits of some rows, without augmentation."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(rows), batch):
            images = pictures(rows[start : start + batch], 0).to(device)
            real_fake = head.linear(features_of(tower, head, images, entry).float())
            found.append((real_fake[:, 1] - real_fake[:, 0]).double().cpu().numpy())
    return np.concatenate(found)
