"""Is an int8 tower worth it? Its error on trained weights, and its speed at ViT-L/14's size.

Error: the shipped ViT-S/14 detector with weights rounded to 8 bits a row, inputs to 8 bits a token
(the finest rounding that a CPU's int8 instructions allow), against float32, on crops of the shipped
portrait. Speed: one block of ViT-L/14 in float32, bfloat16 and in oneDNN's int8 kernels.

Usage: python bench/int8_tower.py [--threads 2] [--no-speed]   (prints JSON)
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from assistant.detectors.clip_ln import ClipLnDetector
from assistant.detectors.tower import TOWERS, build_tower, run_block
from assistant.evaluation.bench_vit_l import portrait_crops
from assistant.weights import locate

PARTS: dict[str, Callable[[Any], torch.Tensor]] = {
    "in_proj": lambda block: block.attn.in_proj_weight,
    "out_proj": lambda block: block.attn.out_proj.weight,
    "fc": lambda block: block.mlp.c_fc.weight,
    "proj": lambda block: block.mlp.c_proj.weight,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-speed", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    told: dict[str, Any] = {"largest_change_of_probability": errors()}
    if not given.no_speed:
        told["block_ms_an_image"] = speeds()
    print(json.dumps(told, indent=2))


def errors() -> dict[str, float]:
    base, delta = locate("dinov2-vits14"), locate("clip-ln-vits14")
    texture = locate("efficientnet-lite0-stages")
    crops = portrait_crops(8)
    exact = squashed(ClipLnDetector.load(base, delta, texture).logits(crops))
    half = ClipLnDetector.load(base, delta, texture, precision="bfloat16").logits(crops)
    out = {"bfloat16": float(np.abs(squashed(half) - exact).max())}
    for parts in (*((name,) for name in PARTS), tuple(PARTS)):
        changed = rounded((base, delta, texture), parts, crops)
        out[f"int8 {' '.join(parts)}"] = float(np.abs(squashed(changed) - exact).max())
    return out


def rounded(
    files: tuple[Path, Path, Path], parts: tuple[str, ...], crops: list[np.ndarray]
) -> np.ndarray:
    """Logits with these matrices, and what goes into them, rounded to 8 bits a row and token."""
    detector = ClipLnDetector.load(*files)
    changed: set[int] = set()
    for block in detector._tower.transformer.resblocks:
        for part in parts:
            weight = PARTS[part](block)
            weight.data = to_eight_bits(weight.data)
            changed.add(id(weight))
    linear = functional.linear

    def with_rounding(x: Any, weight: Any, bias: Any = None) -> Any:
        return linear(to_eight_bits(x) if id(weight) in changed else x, weight, bias)

    functional.linear = with_rounding
    try:
        return detector.logits(crops)
    finally:
        functional.linear = linear


def to_eight_bits(x: torch.Tensor) -> torch.Tensor:
    step = x.abs().amax(-1, keepdim=True).clamp(min=1e-6) / 127
    return torch.round(x / step) * step


def squashed(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


class EightBit:
    """A linear layer in int8: weights scaled by row, inputs by token, oneDNN's kernel."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        self.scale = weight.abs().amax(1) / 127
        whole = torch.round(weight / self.scale[:, None]).to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(whole, None)
        self.zero = torch.zeros(len(weight), dtype=torch.int64)
        self.bias = bias.bfloat16()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        step = x.abs().amax(-1, keepdim=True).float().clamp_(min=1e-6) / 126  # bf16 rounds up
        whole = torch.round(x * (1 / step).to(x.dtype)).add_(128).to(torch.uint8)
        out = torch.ops.onednn.qlinear_pointwise(
            whole.view(-1, x.shape[-1]), 1.0, 128, self.packed, self.scale, self.zero, None,
            1.0, 0, torch.bfloat16, "none", [], "",
        )  # fmt: skip
        return torch.addcmul(self.bias, out.view(*x.shape[:-1], -1), step.to(out.dtype))


@torch.inference_mode()
def speeds(batch: int = 4) -> dict[str, float]:
    torch.manual_seed(0)
    layout = TOWERS["vit-l14"]
    block: Any = build_tower(layout).transformer.resblocks[0]
    attention = block.attn
    joined = EightBit(attention.in_proj_weight, attention.in_proj_bias)
    out = EightBit(attention.out_proj.weight, attention.out_proj.bias)
    up = EightBit(block.mlp.c_fc.weight, block.mlp.c_fc.bias)
    down = EightBit(block.mlp.c_proj.weight, block.mlp.c_proj.bias)
    x = torch.randn(batch, 257, layout.width)
    full = best(lambda: run_block(block, x))
    block, low = block.bfloat16(), x.bfloat16()

    def eight() -> torch.Tensor:
        parts = joined(block.ln_1(low)).view(batch, 257, 3, layout.heads, -1)
        mixed = functional.scaled_dot_product_attention(*parts.permute(2, 0, 3, 1, 4))
        tokens = low + out(mixed.transpose(1, 2).reshape(batch, 257, layout.width))
        return tokens + down(block.mlp.gelu(up(block.ln_2(tokens))))

    half = best(lambda: run_block(block, low))
    return {
        name: round(1000 * seconds / batch, 2)
        for name, seconds in (("float32", full), ("bfloat16", half), ("int8", best(eight)))
    }


def best(job: Callable[[], Any], rounds: int = 5) -> float:
    job()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        job()
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    main()
