"""Train the patches that look for what was laid in: on made blends, whose masks are known.

A blend and the genuine face it was made of differ nowhere but in the mask, so nothing of a source
can be learnt from them (self-blended images, arXiv 2204.08376; many sources and no real fakes,
arXiv 2605.10334). Learnt is along few directions of the patches, which is exact once it is written
as weights of the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from assistant.detectors.read_out import PatchEvidenceReadOut
from assistant.errors import TrainingError
from assistant.training.losses import descend

__all__ = ["PatchConfig", "PatchData", "evidence_of", "train_patches", "widened"]

_AT_ONCE = 256
_SMOOTHING = 0.04


class PatchConfig(BaseModel):
    """How these patches are trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimensions: int = Field(default=128, ge=1, description="of a patch while training")
    steps: int = Field(default=2000, ge=1)
    batch: int = Field(default=64, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    dropout: float = Field(default=0.15, ge=0, lt=1)
    mask_weight: float = Field(default=1.0, ge=0, description="of the loss on masks")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchData:
    """N views: ``patches`` N x cells x dimensions, ``masks`` N x cells, float16.

    ``basis``: of the tokens of all blocks, (blocks x width + 1) x dimensions, the mean last.
    """

    patches: NDArray[np.float16]
    masks: NDArray[np.float16]
    basis: NDArray[np.float32]

    def drawn(self, rows: NDArray[np.int64]) -> Tensor:
        """Some rows as tokens of one block; the class token is not read."""
        cells = torch.from_numpy(self.patches[rows].astype(np.float32))
        return torch.cat([cells[:, :1], cells], dim=1)


def train_patches(
    data: PatchData,
    rows: NDArray[np.int64],
    odds: NDArray[np.float64],
    config: PatchConfig,
    *,
    hidden: int,
    seed: int,
) -> PatchEvidenceReadOut:
    """Train on ``rows``, each drawn as ``odds`` say; the same arguments give the same weights.

    Args:
        data: the views.
        rows: of them: genuine ones and made blends.
        odds: of N views, at least 0.
        config: of the training.
        hidden: width of the read-out.
        seed: of draws and dropout.

    Returns:
        A read-out of one block of ``dimensions`` values a patch; see :func:`widened`.

    Raises:
        TrainingError: no blend among the rows, or the loss is not finite.
    """
    blended = np.asarray(data.masks[rows] > 0.5).any(1)
    if not blended.any() or blended.all():
        raise TrainingError(
            "What is left to train the patches on holds no blend, or nothing else.",
            hint="Give `views` of the kind laid-in, and genuine pictures in which a face is found.",
            code="one-class",
        )
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    _, cells, dimensions = data.patches.shape
    model = PatchEvidenceReadOut(
        blocks=(0,),
        width=dimensions,
        hidden=hidden,
        grid=round(cells**0.5),
        dropout=config.dropout,
    )
    some = data.drawn(np.sort(rng.choice(rows, min(len(rows), 2000), replace=False)))[:, 1:]
    with torch.no_grad():
        model.scale.copy_((some - some.mean(1, keepdim=True)).std((0, 1)) + 1e-4)
        model.position.normal_(std=0.02)
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.steps + 1, pct_start=0.1
    )
    share = odds[rows] / odds[rows].sum()
    model.train()
    steps = tqdm(range(config.steps), "patches")
    for step in steps:
        part = np.sort(rng.choice(rows, config.batch, p=share))
        mask = torch.from_numpy(np.asarray(data.masks[part] > 0.5, np.float32))
        patches = model.patch_logits([data.drawn(part)])
        target = mask.amax(1) * (1 - 2 * _SMOOTHING) + _SMOOTHING
        entropy = functional.binary_cross_entropy_with_logits
        loss = entropy(model.pooled(patches), target) + config.mask_weight * entropy(patches, mask)
        value = descend(
            optimiser,
            loss,
            f"at step {step + 1} of the patches' training",
            hint="Look for damaged rows in the cache, or lower the learning rate.",
        )
        schedule.step()
        steps.set_postfix(loss=value)
    return model.eval().requires_grad_(False)


def evidence_of(model: PatchEvidenceReadOut, data: PatchData) -> NDArray[np.float32]:
    """N logits of all views."""
    count = len(data.patches)
    found = np.zeros(count, np.float32)
    with torch.inference_mode():
        for first in range(0, count, _AT_ONCE):
            rows = np.arange(first, min(first + _AT_ONCE, count))
            found[rows] = model([data.drawn(rows)]).numpy()
    return found


def widened(
    model: PatchEvidenceReadOut, basis: NDArray[np.float32], blocks: tuple[int, ...]
) -> PatchEvidenceReadOut:
    """The same read-out of the tokens themselves.

    ``model``: of patches along ``basis``; ``basis``: (blocks x width + 1) x dimensions, the mean
    last; ``blocks``: whose tokens they are.
    """
    directions, mean = torch.from_numpy(basis[:-1]), torch.from_numpy(basis[-1])
    made = PatchEvidenceReadOut(
        blocks=blocks, width=len(directions) // len(blocks), hidden=model.hidden, grid=model.grid
    )
    weight = model.inner.weight / model.scale
    state = {n: v for n, v in model.state_dict().items() if n not in ("mean", "scale")}
    state["inner.weight"] = weight @ directions.T
    # Half of what the mean adds is taken off again with the mean over the patches.
    state["inner.bias"] = model.inner.bias - 0.5 * (weight @ mean)
    made.load_state_dict(state, strict=False)
    return made.eval().requires_grad_(False)
