"""A trained narrator as files: LoRA and projector in safetensors, the LoRA as a GGUF adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import WeightsError
from assistant.vlm.mmproj import PROJECTOR_KEYS

__all__ = ["export_narrator", "write_lora_gguf"]

_PREFIX = "language.base_model.model.model.layers."
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def export_narrator(
    checkpoint: Path,
    *,
    lora: Path,
    projector: Path,
    adapter: Path,
    alpha: float,
    heads: tuple[int, int] = (9, 3),
) -> None:
    """Write a checkpoint of ``train_narrator`` as the three files that are shipped.

    Args:
        checkpoint: what training saved.
        lora: LoRA matrices in float16, named ``layers.I.self_attn.q_proj.lora_A``.
        projector: the projector in float32, for ``write_mmproj``.
        adapter: the LoRA for llama.cpp, in float16.
        alpha: LoRA's scale, as in the training config.
        heads: query and key heads of the language model.

    Raises:
        WeightsError: the checkpoint holds no narrator.
    """
    import torch
    from safetensors.numpy import save_file

    weights = torch.load(checkpoint, weights_only=True)["weights"]
    matrices = {
        name.removeprefix(_PREFIX).replace(".default.weight", ""): w.float().numpy()
        for name, w in weights.items()
        if ".lora_" in name
    }
    mlp = {name: weights[name].float().numpy() for name in PROJECTOR_KEYS if name in weights}
    if not matrices or len(mlp) != len(PROJECTOR_KEYS):
        raise WeightsError(
            f"{checkpoint.name} holds no narrator.", hint="Give a checkpoint of `whyfake train`."
        )
    rank = next(w.shape[0] for n, w in matrices.items() if n.endswith("lora_A"))
    half = {f"layers.{n}": np.ascontiguousarray(w, np.float16) for n, w in matrices.items()}
    save_file(half, lora, metadata={"alpha": str(alpha), "rank": str(rank)})
    save_file(
        {n: np.ascontiguousarray(w, np.float32) for n, w in mlp.items()},
        projector,
        metadata={"trained": "yes"},
    )
    write_lora_gguf(matrices, adapter, alpha=alpha, heads=heads)


def write_lora_gguf(
    matrices: dict[str, NDArray[Any]], target: Path, *, alpha: float, heads: tuple[int, int]
) -> None:
    """Write LoRA matrices (``I.self_attn.q_proj.lora_A``, ...) as an adapter for llama.cpp.

    llama.cpp keeps the rotary pairs of queries and keys side by side, so the rows of their
    ``lora_B`` are put into that order, as its converter does with the weights themselves.
    """
    from gguf import GGUFWriter

    writer = GGUFWriter(str(target), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(alpha))
    writer.add_name("Whyfake narrator adapter")
    for name, matrix in sorted(matrices.items()):
        index, rest = name.split(".", 1)
        layer, which = rest.rsplit(".", 1)
        side = "lora_a" if which == "lora_A" else "lora_b"
        array = np.asarray(matrix, np.float32)
        if side == "lora_b" and layer in ("self_attn.q_proj", "self_attn.k_proj"):
            count = heads[0] if layer.endswith("q_proj") else heads[1]
            array = _side_by_side(array, count)
        writer.add_tensor(
            f"blk.{index}.{_NAMES[layer]}.weight.{side}", np.ascontiguousarray(array, np.float16)
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _side_by_side(array: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    rows = array.shape[0] // heads
    halves = array.reshape(heads, 2, rows // 2, *array.shape[1:])
    return halves.swapaxes(1, 2).reshape(array.shape)
