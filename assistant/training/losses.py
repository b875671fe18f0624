"""The losses of LN-tuned CLIP and GenD: uniformity, alignment, and slerp within a class.

Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity
on the Hypersphere", ICML 2020 (arXiv 2005.10242), with pairs taken by label as in arXiv 2503.19683.
"""

from __future__ import annotations

import torch
from torch import Tensor

from assistant.errors import TrainingError

__all__ = ["alignment_loss", "require_finite", "slerp", "slerp_within_classes", "uniformity_loss"]


def require_finite(loss: Tensor, where: str, *, hint: str) -> None:
    """Stop a training whose loss is no number.

    Args:
        loss: one number.
        where: that this was, as ``in epoch 1, batch 2``.
        hint: what to do.

    Raises:
        TrainingError: it is not finite (code ``loss-not-finite``).
    """
    if not bool(torch.isfinite(loss)):
        raise TrainingError(f"The loss is not finite {where}.", hint=hint, code="loss-not-finite")


def uniformity_loss(features: Tensor, *, t: float = 2.0) -> Tensor:
    """Logarithm of the mean Gaussian potential of all pairs; lower = more evenly spread.

    Args:
        features: N x D, L2-normalised, N >= 2.
        t: sharpness of the potential.
    """
    if len(features) < 2:
        return features.sum() * 0.0
    squared = torch.pdist(features).square()
    return squared.mul(-t).exp().mean().log()


def alignment_loss(features: Tensor, labels: Tensor, *, alpha: float = 2.0) -> Tensor:
    """Mean distance to the power ``alpha`` between all pairs of the same class.

    Args:
        features: N x D, L2-normalised.
        labels: N.
        alpha: power of the distance.

    Returns:
        0 where no class has two samples.
    """
    same = (labels[:, None] == labels[None, :]).triu(diagonal=1)
    first, second = same.nonzero(as_tuple=True)
    if not len(first):
        return features.sum() * 0.0
    distance = (features[first] - features[second]).square().sum(1).clamp_min(1e-12).sqrt()
    return distance.pow(alpha).mean()


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
