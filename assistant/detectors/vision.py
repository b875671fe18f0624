"""A vision transformer in plain torch, under the names of open_clip's ``VisionTransformer``.

Importing open_clip also imports torchvision, timm, transformers and torch's compiler: three seconds
of every start, for these few modules. A test holds both to the same outputs.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LayerNorm", "QuickGelu", "VisionTransformer"]


class LayerNorm(nn.LayerNorm):
    """Layer norm that gives back its input's type."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise the last axis."""
        normal = functional.layer_norm(
            input, self.normalized_shape, self.weight, self.bias, self.eps
        )
        return normal.to(input.dtype)


class QuickGelu(nn.Module):
    """The activation that OpenAI's CLIP was trained with."""

    def forward(self, x: Tensor) -> Tensor:
        """``x`` times the sigmoid of 1.702 ``x``."""
        return x * torch.sigmoid(1.702 * x)


class _LayerScale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), 1e-5))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class _Block(nn.Module):
    """One residual block; :func:`assistant.detectors.tower.run_block` runs it."""

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        mlp_ratio: float,
        layer_scale: bool,
        quick_gelu: bool,
        eps: float,
    ) -> None:
        super().__init__()
        hidden = int(width * mlp_ratio)
        self.ln_1 = LayerNorm(width, eps=eps)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ls_1 = _LayerScale(width) if layer_scale else nn.Identity()
        self.ln_2 = LayerNorm(width, eps=eps)
        self.mlp = nn.Sequential(
            OrderedDict(
                c_fc=nn.Linear(width, hidden),
                gelu=QuickGelu() if quick_gelu else nn.GELU(),
                c_proj=nn.Linear(hidden, width),
            )
        )
        self.ls_2 = _LayerScale(width) if layer_scale else nn.Identity()


class _Blocks(nn.Module):
    def __init__(self, blocks: list[_Block]) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(blocks)


class VisionTransformer(nn.Module):
    """Patches and a class token through residual blocks; the tower has no projection.

    It has no ``forward``: :mod:`assistant.detectors.tower` runs it block by block.
    """

    def __init__(
        self,
        *,
        image_size: int,
        patch_size: int,
        width: int,
        layers: int,
        heads: int,
        mlp_ratio: float,
        layer_scale: bool,
        pre_norm: bool,
        quick_gelu: bool,
        eps: float,
    ) -> None:
        super().__init__()
        scale = width**-0.5
        patches = (image_size // patch_size) ** 2
        self.conv1 = nn.Conv2d(3, width, kernel_size=patch_size, stride=patch_size, bias=False)
        self.class_embedding = nn.Parameter(scale * torch.randn(width))
        self.positional_embedding = nn.Parameter(scale * torch.randn(patches + 1, width))
        self.ln_pre = LayerNorm(width, eps=eps) if pre_norm else nn.Identity()
        self.transformer = _Blocks(
            [
                _Block(
                    width,
                    heads,
                    mlp_ratio=mlp_ratio,
                    layer_scale=layer_scale,
                    quick_gelu=quick_gelu,
                    eps=eps,
                )
                for _ in range(layers)
            ]
        )
        self.ln_post = LayerNorm(width, eps=eps)
