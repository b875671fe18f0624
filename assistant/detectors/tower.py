"""The vision towers: a vision transformer with a named layout, run block by block.

That gives what a detector needs: the tokens after every block, attention probabilities where they
are asked for, and an early end when the read-out looks at no later block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.detectors.vision import VisionTransformer
from assistant.types import Image

__all__ = [
    "TOWERS",
    "Tower",
    "TowerLayout",
    "attention_probabilities",
    "build_tower",
    "embed",
    "fit_positions",
    "layer_norms",
    "run_block",
    "run_block_from_attention",
    "run_blocks",
    "tower_sha256",
]

#: What :func:`build_tower` gives.
Tower = VisionTransformer

#: Left out of the hash of a base: it is interpolated at conversion, and the last bit of an
#: interpolation may differ between processors.
_POSITIONS = "positional_embedding"


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerLayout:
    """Everything that fixes a tower's shape and its input.

    ``mean`` and ``std`` are for RGB in [0, 1]; ``layer_scale``: DINOv2's learned branch scales;
    ``pre_norm``: CLIP's LayerNorm before the first block.
    """

    image_size: int = 224
    patch_size: int = 14
    width: int = 384
    layers: int = 12
    heads: int = 6
    mlp_ratio: float = 4.0
    layer_scale: bool = True
    pre_norm: bool = False
    quick_gelu: bool = False
    norm_eps: float = 1e-6
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return (self.image_size // self.patch_size, self.image_size // self.patch_size)

    def sized(self, image_size: int) -> TowerLayout:
        """The same tower for pictures of another side in pixels.

        Raises:
            ValueError: the side is no multiple of the patch.
        """
        if image_size % self.patch_size or image_size <= 0:
            raise ValueError(f"a side of {image_size} is no multiple of {self.patch_size} pixels")
        return replace(self, image_size=image_size)

    def normalised(self, crops: Sequence[Image]) -> Tensor:
        """RGB uint8 crops of one size as the tower takes them: B x 3 x H x W, float32."""
        mean = torch.tensor(self.mean).view(1, 3, 1, 1) * 255.0
        std = torch.tensor(self.std).view(1, 3, 1, 1) * 255.0
        pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()
        return (pixels - mean) / std

    def to_json(self) -> dict[str, Any]:
        """As plain values, for a file's metadata."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TowerLayout:
        """The reverse of :meth:`to_json`."""
        plain = dict(values)
        for name in ("mean", "std"):
            if name in plain:
                plain[name] = tuple(plain[name])
        return cls(**plain)


#: ``vit-s14``: DINOv2 ViT-S/14. ``vit-l14``: OpenAI's CLIP ViT-L/14, as in arXiv 2503.19683.
TOWERS: dict[str, TowerLayout] = {
    "vit-s14": TowerLayout(),
    "vit-l14": TowerLayout(
        width=1024,
        layers=24,
        heads=16,
        layer_scale=False,
        pre_norm=True,
        quick_gelu=True,
        norm_eps=1e-5,
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
    ),
}


def build_tower(layout: TowerLayout) -> VisionTransformer:
    """A tower of this layout with frozen, random weights: they are to be loaded."""
    tower = VisionTransformer(
        image_size=layout.image_size,
        patch_size=layout.patch_size,
        width=layout.width,
        layers=layout.layers,
        heads=layout.heads,
        mlp_ratio=layout.mlp_ratio,
        layer_scale=layout.layer_scale,
        pre_norm=layout.pre_norm,
        quick_gelu=layout.quick_gelu,
        eps=layout.norm_eps,
    )
    return tower.eval().requires_grad_(False)


def fit_positions(state: Mapping[str, Tensor], layout: TowerLayout) -> dict[str, Tensor]:
    """A copy of a tower's state whose positions are those of the layout's grid.

    A smaller grid takes the middle of a larger one: a crop that shows less of the same face at the
    same scale keeps every patch at its place.

    Raises:
        ValueError: the state has a smaller grid than the layout.
    """
    out = dict(state)
    positions = state.get(_POSITIONS)
    rows, columns = layout.grid
    if positions is None or len(positions) == 1 + rows * columns:
        return out
    side = round((len(positions) - 1) ** 0.5)
    if side * side != len(positions) - 1 or side < max(rows, columns):
        raise ValueError(f"{len(positions) - 1} positions do not hold a grid of {rows} x {columns}")
    top, left = (side - rows) // 2, (side - columns) // 2
    grid = positions[1:].reshape(side, side, -1)[top : top + rows, left : left + columns]
    out[_POSITIONS] = torch.cat([positions[:1], grid.reshape(rows * columns, -1)])
    return out


def tower_sha256(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of a base tower: names, shapes and float32 bytes of all tensors but the positions."""
    digest = hashlib.sha256()
    for name in sorted(state):
        if name == _POSITIONS:
            continue
        tensor = state[name].detach().to("cpu", torch.float32).contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def layer_norms(tower: VisionTransformer) -> dict[str, Tensor]:
    """Weights and biases of all LayerNorms, by their names in the tower's state dict."""
    found: dict[str, Tensor] = {}
    for name, module in tower.named_modules():
        if isinstance(module, nn.LayerNorm):
            found[f"{name}.weight"] = module.weight
            found[f"{name}.bias"] = module.bias
    return found


def embed(tower: VisionTransformer, pictures: Tensor) -> Tensor:
    """Normalised pictures B x 3 x H x W to the tokens that enter the first block, B x T x width."""
    patches = tower.conv1(pictures).flatten(2).transpose(1, 2)
    first = tower.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
    tokens = torch.cat([first, patches], dim=1) + tower.positional_embedding.to(patches.dtype)
    out: Tensor = tower.ln_pre(tokens)
    return out


# The blocks have attributes that nn.Module does not declare: hence Any.
def _query_key_value(block: Any, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    attention = block.attn
    batch, count, width = tokens.shape
    joined = functional.linear(
        block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias
    ).view(batch, count, 3, attention.num_heads, width // attention.num_heads)
    query, key, value = joined.permute(2, 0, 3, 1, 4)
    return query, key, value


def _finish(block: Any, tokens: Tensor, mixed: Tensor) -> Tensor:
    batch, count, width = tokens.shape
    mixed = mixed.transpose(1, 2).reshape(batch, count, width)
    tokens = tokens + block.ls_1(block.attn.out_proj(mixed))
    out: Tensor = tokens + block.ls_2(block.mlp(block.ln_2(tokens)))
    return out


def run_block(block: nn.Module, tokens: Tensor) -> Tensor:
    """One residual block with fused attention, B x T x width to the same."""
    query, key, value = _query_key_value(block, tokens)
    return _finish(block, tokens, functional.scaled_dot_product_attention(query, key, value))


def attention_probabilities(block: nn.Module, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Attention probabilities B x heads x T x T of a block, and the values they weigh."""
    query, key, value = _query_key_value(block, tokens)
    scale = query.shape[-1] ** -0.5
    return torch.softmax((query * scale) @ key.transpose(-2, -1), dim=-1), value


def run_block_from_attention(
    block: nn.Module, tokens: Tensor, probabilities: Tensor, value: Tensor
) -> Tensor:
    """The rest of a block once :func:`attention_probabilities` is known."""
    return _finish(block, tokens, probabilities @ value)


def run_blocks(tower: VisionTransformer, tokens: Tensor, blocks: Sequence[int]) -> list[Tensor]:
    """Run ``blocks`` (consecutive) and keep each block's output."""
    outputs = []
    for index in blocks:
        tokens = run_block(tower.transformer.resblocks[index], tokens)
        outputs.append(tokens)
    return outputs
