"""A detector with its LayerNorms randomised: the control of the sanity check for heat maps.

Adebayo et al., "Sanity Checks for Saliency Maps", arXiv 1810.03292: a map that stays the same when
the weights are random shows the picture, not the detector's reason.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from assistant.detectors.clip_ln import ClipLnDetector

__all__ = ["with_random_norms", "with_random_read_out"]


def with_random_norms(detector: ClipLnDetector, *, seed: int = 0) -> ClipLnDetector:
    """A copy whose LayerNorm weights and biases are drawn anew with their own mean and deviation.

    The given detector is left as it is. The copy keeps the weights' hash of the original: it must
    never score anything but a sanity check.
    """
    other = copy.deepcopy(detector)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in other._tower.modules():
            if not isinstance(module, nn.LayerNorm):
                continue
            for values in (module.weight, module.bias):
                plain = values.detach().float()
                noise = torch.randn(plain.shape, generator=generator).to(plain.device)
                values.copy_(plain.mean() + plain.std() * noise)
    return other


def with_random_read_out(detector: ClipLnDetector, *, seed: int = 0) -> ClipLnDetector:
    """A copy whose read-out is drawn anew, each tensor with its own mean and deviation.

    Tensors of one number, such as scales, are kept. As for :func:`with_random_norms`, the copy must
    never score anything but a sanity check.
    """
    other = copy.deepcopy(detector)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for values in other._read_out.parameters():
            if values.numel() < 2:
                continue
            plain = values.detach().float()
            noise = torch.randn(plain.shape, generator=generator).to(plain.device)
            values.copy_(plain.mean() + plain.std() * noise)
    return other
