"""Small autoencoders that redraw genuine faces, so that only the making tells the two apart.

A generator's last stage leaves traces of how it enlarges its features. Such a stage is trained here
in about a minute on genuine faces alone, in several builds, after AutoGAN (Zhang et al.,
arXiv 1907.06515); content is the same on both sides, as in DRCT (Chen et al., ICML 2024).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from assistant.errors import TrainingError
from assistant.types import Image

__all__ = ["BUILDS", "Build", "Redrawer", "train_redrawer"]

_LOG = logging.getLogger(__name__)
UpSampler = Literal["transposed", "nearest", "bilinear", "shuffle"]
#: Mean absolute error (of 255) from which on a redrawn face is no longer that face.
_DIVERGED = 40.0
#: Faces a step.
_BATCH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How a redrawer is built: how it enlarges, how often it halves the side, and its width.

    ``side`` is the square it works at, in pixels; faces are brought to it and back.
    """

    up: UpSampler
    halvings: int = 2
    width: int = 24
    latent: int = 16
    side: int = 160
    sharp: float = 0.0


#: Different enlargements, depths, widths and sides; ``sharp`` weighs an error of the gradients.
BUILDS: tuple[Build, ...] = (
    Build(up="transposed", halvings=2, width=24, latent=24, side=168),
    Build(up="nearest", halvings=2, width=24, latent=24, side=128, sharp=1.0),
    Build(up="bilinear", halvings=3, width=20, latent=48, side=168, sharp=1.0),
    Build(up="shuffle", halvings=2, width=24, latent=16, side=192, sharp=1.0),
    Build(up="transposed", halvings=3, width=20, latent=64, side=112, sharp=1.0),
    Build(up="nearest", halvings=3, width=20, latent=48, side=224),
)


class _Up(nn.Module):
    """Doubles the side of a feature map."""

    def __init__(self, up: UpSampler, channels: int) -> None:
        super().__init__()
        self.up = up
        if up == "transposed":
            self.layer: nn.Module = nn.ConvTranspose2d(channels, channels, 4, 2, 1)
        elif up == "shuffle":
            self.layer = nn.Sequential(
                nn.Conv2d(channels, 4 * channels, 3, padding=1), nn.PixelShuffle(2)
            )
        else:
            self.layer = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        if self.up in ("nearest", "bilinear"):
            smooth = {} if self.up == "nearest" else {"align_corners": False}
            values = functional.interpolate(values, scale_factor=2, mode=self.up, **smooth)
        out: Tensor = functional.leaky_relu(self.layer(values), 0.1)
        return out


class Redrawer(nn.Module):
    """An autoencoder of faces, B x 3 x S x S in [0, 1] to the same."""

    def __init__(self, build: Build) -> None:
        super().__init__()
        self.build = build
        down: list[nn.Module] = [nn.Conv2d(3, build.width, 3, padding=1), nn.LeakyReLU(0.1)]
        for _ in range(build.halvings):
            down += [nn.Conv2d(build.width, build.width, 4, 2, 1), nn.LeakyReLU(0.1)]
        self.down = nn.Sequential(*down, nn.Conv2d(build.width, build.latent, 1))
        self.start = nn.Conv2d(build.latent, build.width, 1)
        self.up = nn.Sequential(*[_Up(build.up, build.width) for _ in range(build.halvings)])
        self.out = nn.Conv2d(build.width, 3, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        """The redrawn pictures."""
        out: Tensor = self.out(self.up(self.start(self.down(pixels - 0.5)))) + 0.5
        return out

    def redraw(self, crop: Image) -> Image:
        """An RGB uint8 crop as this network draws it, in its own size."""
        height, width = crop.shape[:2]
        side = self.build.side
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        with torch.inference_mode():
            pixels = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255.0
            drawn = self(pixels)[0].clamp(0, 1).permute(1, 2, 0).numpy()
        full: Image = np.clip(np.rint(drawn * 255.0), 0, 255).astype(np.uint8)
        if side == height == width:
            return full
        back = cv2.resize(full, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(back, np.uint8)


def train_redrawer(
    build: Build,
    faces: Sequence[Image],
    *,
    seed: int,
    steps: int = 400,
    path: Path | None = None,
) -> Redrawer:
    """Train one on genuine faces, or read the one that was trained before from ``path``.

    Args:
        build: of the network.
        faces: genuine RGB uint8 crops of one size.
        seed: of weights and draws.
        steps: of training.
        path: safetensors of the result; None: kept nowhere.

    Raises:
        TrainingError: the network diverged: its faces are not the faces it was given.
    """
    from safetensors.torch import load_file, save_file

    torch.manual_seed(seed)
    model = Redrawer(build)
    if path is not None and path.exists():
        model.load_state_dict(load_file(path), strict=True)
        return model.eval().requires_grad_(False)
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    draws = np.random.default_rng(seed)
    errors: list[float] = []
    for _ in tqdm(range(steps), f"redrawer {build.up} {build.side}"):
        rows = draws.integers(0, len(faces), _BATCH)
        picked = [
            cv2.resize(faces[int(i)], (build.side, build.side), interpolation=cv2.INTER_AREA)
            for i in rows
        ]
        pixels = torch.from_numpy(np.stack(picked)).permute(0, 3, 1, 2).float() / 255.0
        drawn = model(pixels)
        error = (drawn - pixels).abs().mean()
        loss = error + build.sharp * _gradient_error(drawn, pixels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        errors.append(255.0 * float(error.detach()))
    last = float(np.mean(errors[-20:]))
    if not np.isfinite(last) or last > _DIVERGED:
        raise TrainingError(
            f"The reconstruction network {asdict(build)} diverged: its faces are off by {last:.0f} "
            f"of 255 grey levels, and at most {_DIVERGED:.0f} are allowed.",
            hint="Train it for more steps, or leave this build out of the recipe.",
            code="redrawer-diverged",
        )
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    return model.eval().requires_grad_(False)


def _gradient_error(drawn: Tensor, pixels: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighbours, along both axes."""
    across = (drawn.diff(dim=3) - pixels.diff(dim=3)).abs().mean()
    down = (drawn.diff(dim=2) - pixels.diff(dim=2)).abs().mean()
    return across + down
