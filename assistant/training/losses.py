"""The losses of LN-tuned CLIP and GenD, and the pairs that its batches are made of.

Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity
on the Hypersphere", ICML 2020 (arXiv 2005.10242), with pairs taken by label as in arXiv 2503.19683.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.errors import TrainingError

__all__ = [
    "alignment_loss", "descend", "paired_batches", "slerp", "slerp_within_classes",
    "uniformity_loss",
]  # fmt: skip


def descend(
    optimiser: torch.optim.Optimizer,
    loss: Tensor,
    where: str,
    *,
    hint: str,
    clip: float | None = None,
    code: str = "loss-not-finite",
) -> float:
    """One step down a loss, the norm of its gradient at most ``clip``; gives the loss.

    ``where`` that was is for the message, as ``in epoch 1, batch 2``.

    Raises:
        TrainingError: the loss is no finite number.
    """
    value = float(loss.detach())
    if not math.isfinite(value):
        raise TrainingError(f"The loss is not finite {where}: {value}.", hint=hint, code=code)
    optimiser.zero_grad()
    loss.backward()
    if clip is not None:
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()
    return value


def uniformity_loss(features: Tensor) -> Tensor:
    """Logarithm of the mean Gaussian potential of all pairs; lower = more evenly spread.

    ``features``: N x D, L2-normalised, N >= 2.
    """
    if len(features) < 2:
        return features.sum() * 0.0
    squared = torch.pdist(features).square()
    return squared.mul(-2.0).exp().mean().log()


def alignment_loss(features: Tensor, labels: Tensor) -> Tensor:
    """Mean squared distance between all pairs of the same class.

    ``features``: N x D, L2-normalised.

    Returns:
        0 where no class has two samples.
    """
    same = (labels[:, None] == labels[None, :]).triu(diagonal=1)
    first, second = same.nonzero(as_tuple=True)
    if not len(first):
        return features.sum() * 0.0
    distance = (features[first] - features[second]).square().sum(1).clamp_min(1e-12).sqrt()
    return distance.pow(2.0).mean()


def slerp(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Spherical interpolation between N x D unit vectors; ``share`` N in [0, 1], 0 = ``start``."""
    cosine = (start * end).sum(1, keepdim=True).clamp(-1 + 1e-6, 1 - 1e-6)
    angle = torch.acos(cosine)
    part = share[:, None]
    mixed = torch.sin((1 - part) * angle) * start + torch.sin(part * angle) * end
    return mixed / torch.sin(angle)


def slerp_within_classes(
    features: Tensor, labels: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """Each sample moved a random way towards a random sample of its class (arXiv 2503.19683)."""
    mate = torch.arange(len(labels))
    for label in labels.unique():
        rows = (labels == label).nonzero()[:, 0].cpu()
        mate[rows] = rows[torch.randperm(len(rows), generator=generator)]
    share = torch.rand(len(labels), generator=generator).to(features)
    moved = slerp(features, features[mate.to(features.device)], share)
    alone = (mate == torch.arange(len(labels))).to(features.device)
    return torch.where(alone[:, None], features, moved)


def paired_batches(
    labels: NDArray[np.int64], videos: Sequence[str], *, batch: int, seed: int, epoch: int
) -> Iterator[NDArray[np.int64]]:
    """Row numbers of one epoch's batches, half real and half fake.

    Every fake is drawn once, with a random real face of its video; where its video has none, with
    any real face. GenD (arXiv 2508.06248) finds that this matters most: what differs in a pair is
    the manipulation, not person, camera or compression.

    Args:
        labels: N, 1 = manipulated.
        videos: N source videos.
        batch: rows a batch; even.
        seed: of the run.
        epoch: from 0; another epoch, another order.

    Raises:
        TrainingError: an odd batch, or a class is missing.
    """
    if batch < 2 or batch % 2:
        raise TrainingError(
            f"A paired batch of {batch} cannot be halved.", hint="Choose an even batch."
        )
    reals, fakes = np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)
    if not len(reals) or not len(fakes):
        raise TrainingError(
            "Pairs need real and manipulated faces; one class is missing.",
            hint="Add the other class to the manifest.",
            code="one-class",
        )
    rng = np.random.default_rng((seed, epoch))
    by_video: dict[str, list[int]] = {}
    for row in reals:
        by_video.setdefault(videos[int(row)], []).append(int(row))
    order = rng.permutation(fakes)
    mates = np.array(
        [
            rng.choice(by_video[videos[f]]) if videos[f] in by_video else rng.choice(reals)
            for f in order
        ]
    )
    half = batch // 2
    for start in range(0, len(order) - half + 1, half) if len(order) >= half else [0]:
        chosen = slice(start, start + half)
        yield np.stack([mates[chosen], order[chosen]], axis=1).ravel()
