"""4-bit and 8-bit loading through bitsandbytes, and how much memory a model will take."""

from __future__ import annotations

import importlib.util
from typing import Any, Literal

from assistant.errors import ConfigError, OutOfMemory

__all__ = [
    "Quantization",
    "available_bytes",
    "check_memory",
    "estimate_bytes",
    "quantization_config",
]

Quantization = Literal["nf4", "int8"]

#: Parts that stay in full precision: pictures suffer most from it, and these are small.
KEPT_PARTS = (
    "vision_tower",
    "vision_model",
    "visual",
    "multi_modal_projector",
    "connector",
    "merger",
    "embed_tokens",
    "lm_head",
)
_BYTES_PER_WEIGHT = {"nf4": 0.55, "int8": 1.05}
_WORKING_BYTES = 300 * 2**20


def quantization_config(quantization: Quantization | None, dtype: Any) -> Any:
    """The config for bitsandbytes, or None.

    Raises:
        ConfigError: an unknown kind, or bitsandbytes is not installed. Never a silent fall-back.
    """
    if quantization is None:
        return None
    if quantization not in _BYTES_PER_WEIGHT:
        raise ConfigError(
            f"Unknown quantization {quantization!r}; allowed: none, int8, nf4.",
            hint="Set vlm.quantization to one of these.",
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigError(
            f"Quantization {quantization} needs the package bitsandbytes, which is not installed.",
            hint="Install it (`pip install bitsandbytes`) or set vlm.quantization=none.",
        )
    from transformers import BitsAndBytesConfig

    kept = list(KEPT_PARTS)
    if quantization == "int8":
        made = BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=kept)
    else:
        made = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=dtype,
            llm_int8_skip_modules=kept,
        )
    return made


def estimate_bytes(config: Any, quantization: Quantization | None, dtype: Any) -> int:
    """Memory that a model of this configuration takes, from its shapes alone; nothing is loaded."""
    import torch
    from accelerate import init_empty_weights
    from transformers import AutoModelForImageTextToText

    with init_empty_weights():
        model = AutoModelForImageTextToText.from_config(config)
        model.tie_weights()
    full = float(torch.empty((), dtype=dtype).element_size())
    total = 0.0
    seen: set[int] = set()
    for name, weight in model.named_parameters():
        if id(weight) in seen:
            continue
        seen.add(id(weight))
        kept = quantization is None or weight.ndim != 2 or any(p in name for p in KEPT_PARTS)
        total += weight.numel() * (full if kept else _BYTES_PER_WEIGHT[str(quantization)])
    return int(total) + _WORKING_BYTES


def available_bytes(device: str) -> int:
    """Free memory of ``device`` ("cpu" or a CUDA device) in bytes."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def check_memory(needed: int, available: int, *, model: str) -> None:
    """Refuse a model that cannot fit, before anything is loaded.

    Raises:
        OutOfMemory: ``needed`` exceeds ``available`` bytes.
    """
    if needed > available:
        raise OutOfMemory(
            f"{model} needs about {needed / 2**30:.1f} GB; {available / 2**30:.1f} GB are free.",
            hint="Set vlm.quantization=nf4, choose a smaller model, or use the llama-cpp backend.",
        )
