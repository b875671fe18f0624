"""The embedded model in transformers' LLaVA layout: the same tower, projector and language model.

For training, for quantising with bitsandbytes, and as the reference the GGUF files are held to. The
language model exists only as a 4-bit GGUF, so its weights here are that file's, dequantised. One
difference to llama.cpp remains: transformers keeps the patch in the top left corner and drops the
class token (``mmproj.py`` says what llama.cpp does); :func:`picture_tokens` does as llama.cpp.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assistant.errors import WeightsError
from assistant.vlm.mmproj import IMAGE_SIZE

__all__ = [
    "CHAT_TEMPLATE",
    "IMAGE_TOKEN",
    "dinov2_state",
    "llama_from_gguf",
    "picture_tokens",
    "tokenizer_from_gguf",
    "vision_tower",
]

#: A word of SmolLM2's vocabulary that its chat never uses; stands for a picture token.
IMAGE_TOKEN = "<file_sep>"  # noqa: S105 - not a password

CHAT_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    + IMAGE_TOKEN
    + "{% else %}"
    "{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def llama_from_gguf(path: Path) -> Any:
    """The GGUF's language model as a float32 ``LlamaForCausalLM``, dequantised.

    Raises:
        WeightsError: not a GGUF file, or not of the ``llama`` architecture.
    """
    import torch
    from transformers import LlamaForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    try:
        model = LlamaForCausalLM.from_pretrained(
            str(path.parent), gguf_file=path.name, dtype=torch.float32, local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(
            f"{path.name} cannot be read as a GGUF file of a llama ({type(error).__name__}).",
            hint="Run `whyfake weights verify`.",
        ) from error
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config  # dequantised: saved again it is an ordinary model
    return model.eval()


def tokenizer_from_gguf(path: Path) -> Any:
    """The GGUF's tokenizer for transformers, with :data:`CHAT_TEMPLATE`."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def vision_tower(base: Path) -> Any:
    """The tower (open_clip's names) as transformers' ``Dinov2Model`` in float32."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import Dinov2Config, Dinov2Model

    try:
        tower = load_file(base)
        state = dinov2_state(tower)
        model = Dinov2Model(Dinov2Config(**_tower_config(tower)))
        model.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsError(
            f"{base.name} is not a vision tower of this layout ({type(error).__name__}).",
            hint="Run `whyfake weights verify`.",
        ) from error
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config  # dequantised: saved again it is an ordinary model
    return model.eval()


def dinov2_state(tower: dict[str, Any]) -> dict[str, Any]:
    """open_clip's state dict of the tower under the names of ``Dinov2Model``."""
    import torch

    width = tower["class_embedding"].shape[0]
    out = {
        "embeddings.cls_token": tower["class_embedding"].reshape(1, 1, width),
        "embeddings.mask_token": torch.zeros(1, width),
        "embeddings.position_embeddings": tower["positional_embedding"][None],
        "embeddings.patch_embeddings.projection.weight": tower["conv1.weight"],
        # The patch bias was added to the positions when the tower was converted.
        "embeddings.patch_embeddings.projection.bias": torch.zeros(width),
        "layernorm.weight": tower["ln_post.weight"],
        "layernorm.bias": tower["ln_post.bias"],
    }
    names = {"ln_1": "norm1", "ln_2": "norm2", "attn.out_proj": "attention.o_proj"}
    names |= {"mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
    index = 0
    while f"transformer.resblocks.{index}.ln_1.weight" in tower:
        ours, theirs = f"transformer.resblocks.{index}", f"encoder.layer.{index}"
        for part in ("weight", "bias"):
            joined = tower[f"{ours}.attn.in_proj_{part}"].chunk(3)
            for name, array in zip("qkv", joined, strict=True):
                out[f"{theirs}.attention.{name}_proj.{part}"] = array.contiguous()
            for source, target in names.items():
                out[f"{theirs}.{target}.{part}"] = tower[f"{ours}.{source}.{part}"]
        for number in (1, 2):
            out[f"{theirs}.layer_scale{number}.lambda1"] = tower[f"{ours}.ls_{number}.gamma"]
        index += 1
    return out


def picture_tokens(tower: Any, pixels: Any) -> Any:
    """What llama.cpp hands the projector: (batch, 256, width) from (batch, 3, 224, 224).

    The output of the last block but one: patches 1 to 255, then the class token.
    """
    import torch

    hidden = tower(pixel_values=pixels, output_hidden_states=True).hidden_states[-2]
    return torch.cat([hidden[:, 2:], hidden[:, :1]], dim=1)


def _tower_config(tower: dict[str, Any]) -> dict[str, Any]:
    width = int(tower["class_embedding"].shape[0])
    return {
        "hidden_size": width,
        "num_hidden_layers": sum(name.endswith("ln_1.weight") for name in tower),
        "num_attention_heads": width // 64,
        "mlp_ratio": 4,
        "image_size": IMAGE_SIZE,
        "patch_size": 14,
        "layer_norm_eps": 1e-6,
    }
