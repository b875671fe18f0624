"""Lays a LoRA adapter into a language model for llama.cpp: ``W + alpha / rank x B A``, in 8 bit.

An adapter beside the model costs llama.cpp two more products for every matrix and every word, and
it reads prompts faster from Q8_0 than from the 4-bit kinds that small models come in. Q8_0 keeps
what an adapter changes (half a percent of the weights); writing it back in 4 bit would round it
away.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import WeightsError

__all__ = ["write_merged"]

#: llama.cpp's number of a file of that kind.
_FILE_TYPE = {"F32": 0, "Q4_0": 2, "Q8_0": 7}


def write_merged(base: Path, adapter: Path, target: Path, *, kind: str = "Q8_0") -> None:
    """Write ``base`` with ``adapter`` laid in as one GGUF file.

    Args:
        base: a language model in GGUF, of any quantisation that the ``gguf`` package reads.
        adapter: a LoRA of it in GGUF (``write_lora_gguf``).
        target: the file to write; it holds the base's settings and vocabulary.
        kind: of the blocks' matrices, ``Q8_0`` or ``Q4_0``, the vocabulary's in Q8_0; or ``F32``,
            for all of them.

    Raises:
        WeightsError: a file cannot be read, or the adapter is none or of another model.
    """
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
    from gguf.quants import dequantize, quantize

    try:
        model, lora = GGUFReader(base), GGUFReader(adapter)
        changes = _changes({t.name: t for t in lora.tensors}, lora, adapter)
        architecture = model.fields["general.architecture"].contents()
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise WeightsError(
            f"{base.name} and {adapter.name} cannot be read as GGUF ({type(error).__name__}).",
            hint="Run `whyfake weights verify`.",
        ) from error
    _check_fits(changes, {t.name: tuple(t.shape[::-1]) for t in model.tensors}, base, adapter)
    writer = GGUFWriter(target, architecture)
    for name, value in model.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        form = value.types[0]
        inner = value.types[-1] if form == GGUFValueType.ARRAY else None
        kept = _FILE_TYPE[kind] if name == "general.file_type" else value.contents()
        writer.add_key_value(name, kept, form, sub_type=inner)
    for tensor in model.tensors:
        if tensor.name not in changes and tensor.tensor_type == GGMLQuantizationType.F32:
            writer.add_tensor(tensor.name, np.array(tensor.data))
            continue
        weights = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if tensor.name in changes:
            weights += changes[tensor.name]
        in_block = tensor.name.startswith("blk.")
        bits = GGMLQuantizationType[kind if in_block or kind == "F32" else "Q8_0"]
        writer.add_tensor(tensor.name, quantize(weights, bits), raw_dtype=bits)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _changes(
    tensors: Mapping[str, Any], lora: Any, adapter: Path
) -> dict[str, NDArray[np.float32]]:
    """What the adapter adds to each matrix, by the matrix' name."""
    from gguf.quants import dequantize

    if "adapter.lora.alpha" not in lora.fields:
        raise WeightsError(
            f"{adapter.name} is not a LoRA adapter.", hint="Run `whyfake weights verify`."
        )
    alpha = float(lora.fields["adapter.lora.alpha"].contents())
    arrays = {n: dequantize(t.data, t.tensor_type).astype(np.float32) for n, t in tensors.items()}
    names = {name.removesuffix(".lora_a").removesuffix(".lora_b") for name in arrays}
    found = {}
    for name in sorted(names):
        down, up = arrays.get(f"{name}.lora_a"), arrays.get(f"{name}.lora_b")
        if down is None or up is None or up.shape[1] != down.shape[0]:
            raise WeightsError(
                f"{adapter.name} holds half of the pair for {name}, or one that does not fit.",
                hint="Run `whyfake weights verify`.",
            )
        found[name] = (alpha / down.shape[0]) * (up @ down)
    return found


def _check_fits(
    changes: Mapping[str, NDArray[np.float32]],
    shapes: Mapping[str, tuple[int, ...]],
    base: Path,
    adapter: Path,
) -> None:
    wrong = [name for name, change in changes.items() if shapes.get(name) != change.shape]
    if wrong:
        raise WeightsError(
            f"{adapter.name} belongs to another model than {base.name}: {', '.join(wrong[:3])}.",
            hint="Run `whyfake weights verify`, or name both with vlm.model and vlm.adapter.",
        )
