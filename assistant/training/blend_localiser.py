"""Training of the blend localiser: masks as teacher, the frozen tower's tokens as input."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from assistant.errors import TrainingError
from assistant.evaluation.known_masks import AlignedFace
from assistant.interfaces import TraceableDetector
from assistant.training.blend_samples import blend_sample

__all__ = ["BLOCKS", "LocaliserNet", "save_localiser", "train_localiser"]

_log = logging.getLogger(__name__)
#: The middle blocks: early enough to see texture, late enough to know what a face looks like.
BLOCKS: tuple[int, ...] = (3, 5, 6, 8)


class LocaliserNet(nn.Module):
    """A linear layer a patch with a learned position, then two 3 x 3 convolutions over the grid."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, grid: int, hidden: int = 64) -> None:
        super().__init__()
        self.grid = grid
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.a = nn.Linear(width, hidden)
        self.p = nn.Parameter(torch.zeros(grid * grid, hidden))
        self.c1 = nn.Conv2d(2 * hidden, hidden, 3, padding=1)
        self.c2 = nn.Conv2d(hidden, hidden, 3, padding=2, dilation=2)
        self.o = nn.Conv2d(hidden, 1, 1)
        self.drop = nn.Dropout(0.1)

    def forward(self, patches: Tensor) -> Tensor:
        """Logits B x patches of raw patch tokens B x patches x width."""
        x = ((patches - self.mean) / self.scale).clamp(-6.0, 6.0)
        x = x - 0.5 * x.mean(dim=1, keepdim=True)
        state = self.drop(functional.gelu(self.a(x) + self.p))
        state = state.transpose(1, 2).reshape(len(x), -1, self.grid, self.grid)
        both = torch.cat([state, state - state.mean(dim=(2, 3), keepdim=True)], dim=1)
        state = functional.gelu(self.c1(both))
        state = state + functional.gelu(self.c2(state))
        logits: Tensor = self.o(state).flatten(1)
        return logits


def train_localiser(
    detector: TraceableDetector,
    faces: Sequence[AlignedFace],
    *,
    samples: int = 1600,
    epochs: int = 14,
    batch: int = 16,
    seed: int = 0,
) -> LocaliserNet:
    """Make samples, take their tokens once, and fit.

    Args:
        detector: gives the tokens; its read-out is not used.
        faces: real and untouched, at least two.
        samples: pictures to make.
        epochs: passes over them.
        batch: pictures a step.
        seed: of everything drawn.

    Raises:
        TrainingError: too few faces, or a loss that is no number.
    """
    if len(faces) < 2:
        raise TrainingError(
            f"The localiser needs at least 2 untouched faces, not {len(faces)}.",
            hint="Name more pictures in the manifest.",
            code="no-faces",
        )
    tokens, targets, grid = _tokens(detector, faces, samples, seed)
    torch.manual_seed(seed)
    net = LocaliserNet(tokens.shape[2], grid)
    flat = torch.from_numpy(tokens[::8].astype(np.float32)).flatten(0, 1)
    net.mean.copy_(flat.mean(0))
    net.scale.copy_(flat.std(0) + 1e-3)
    steps = max(1, len(tokens) // batch) * epochs
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps + 1)
    truth = torch.from_numpy(targets)
    net.train()
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(tokens))
        total = 0.0
        for start in range(0, max(1, len(order) - batch + 1), batch):
            pick = np.sort(order[start : start + batch])
            logits = net(torch.from_numpy(tokens[pick].astype(np.float32)))
            loss = functional.binary_cross_entropy_with_logits(logits, truth[pick])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        if not np.isfinite(total):
            raise TrainingError("The localiser's loss is no number.", hint="Use another seed.")
        _log.info("epoch %d: loss %.4f", epoch + 1, total * batch / len(tokens))
    return net.eval()


def _tokens(
    detector: TraceableDetector, faces: Sequence[AlignedFace], samples: int, seed: int
) -> tuple[NDArray[np.float16], NDArray[np.float32], int]:
    tokens, targets, grid = [], [], (0, 0)
    for number in range(samples):
        rng = np.random.default_rng([seed, number])
        crop, mask = blend_sample(number % len(faces), faces, rng)
        trace = detector.trace(crop)
        if trace.tokens is None or len(trace.tokens) <= max(BLOCKS):
            raise TrainingError(
                f"{detector.name} does not give the tokens of blocks {BLOCKS}.",
                hint="Use the embedded detector.",
            )
        grid = trace.grid
        patches = [trace.tokens[block, trace.prefix :] for block in BLOCKS]
        tokens.append(np.concatenate(patches, axis=1).astype(np.float16))
        cells = mask.reshape(grid[0], mask.shape[0] // grid[0], grid[1], mask.shape[1] // grid[1])
        targets.append(cells.mean(axis=(1, 3)).ravel().astype(np.float32))
    return np.stack(tokens), np.stack(targets), grid[0]


def save_localiser(net: LocaliserNet, path: Path, *, base_sha256: str) -> None:
    """Write the weights in half precision, with the blocks and the base they belong to."""
    from safetensors.torch import save_file

    tensors = {k: v.detach().half().contiguous() for k, v in net.state_dict().items()}
    meta = {"blocks": ",".join(map(str, BLOCKS)), "base_sha256": base_sha256}
    save_file(tensors, path, metadata=meta)
