"""The published detectors' weights, mapped strictly into open_clip's names.

Two layouts carry the same network, a LayerNorm-tuned CLIP ViT-L/14 vision tower with a linear head:

- ``yermandy/GenD_CLIP_L_14`` (safetensors; GenD, arXiv 2508.06248): transformers' CLIP names.
- ``yermandy/deepfake-detection`` (Lightning checkpoint; arXiv 2503.19683): the same names inside
  peft's LayerNorm tuning, where each tuned LayerNorm has an untuned ``base_layer`` beside it.

Index 0 of the head is real, 1 is fake. The activation is QuickGELU (open_clip's
``ViT-L-14-quickgelu``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from assistant.detectors.delta_file import DeltaHeader, write_delta
from assistant.detectors.read_out import ClassTokenReadOut
from assistant.detectors.tower import TOWERS, build_tower, layer_norms, tower_sha256
from assistant.errors import WeightsError
from assistant.types import CropSpec

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = [
    "accepted_path",
    "map_published",
    "read_checkpoint",
    "unfitted_softmax",
    "write_full_base",
    "write_full_delta",
]

_ROOT = re.compile(r"^(?:model\.)?feature_extractor\.(?:base_model\.model\.)?")
_HEAD = re.compile(r"^(?:model\.)?(?:model\.)?(?:linear|head)\.(weight|bias)$")
_TUNED = re.compile(r"\.ln_tuning_layers\.[^.]+\.")
_UNUSED = re.compile(
    r"(visual_projection\.weight|vision_model\.embeddings\.position_ids|text_model\..*|"
    r"text_projection\.weight|logit_scale)$"
)
_LAYER = re.compile(r"^vision_model\.encoder\.layers\.(\d+)\.(.+)$")
_TOP = {
    "vision_model.embeddings.class_embedding": "class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "positional_embedding",
    "vision_model.pre_layrnorm.weight": "ln_pre.weight",
    "vision_model.pre_layrnorm.bias": "ln_pre.bias",
    "vision_model.post_layernorm.weight": "ln_post.weight",
    "vision_model.post_layernorm.bias": "ln_post.bias",
}
_BLOCK = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "self_attn.out_proj": "attn.out_proj",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def accepted_path(settings: Settings, needs: str, hint: str, *, folder: bool = False) -> Path:
    """The file or folder of ``detector_weights``, of which no SHA-256 is published.

    Args:
        settings: of the detector.
        needs: what is needed, for the error where none is named.
        hint: where to get it.
        folder: whether a folder is needed; what is none is left to what reads it.

    Raises:
        WeightsError: none is named, or it is not accepted without a hash.
    """
    path = settings.detector_weights
    if path is None:
        raise WeightsError(needs, hint=hint, code="weights-missing")
    if not settings.accept_unpinned and (path.is_dir() or not folder):
        raise WeightsError(
            f"{path.name} has no published SHA-256 to be checked against.",
            hint="Allow it with --accept-unpinned (ASSISTANT_ACCEPT_UNPINNED=true).",
            code="weights-unpinned",
        )
    return path


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a safetensors file or a Lightning ``.ckpt``, read without running code in it.

    Raises:
        WeightsError: the file is damaged, holds code, or holds no tensors.
    """
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return load_file(str(path))
        except Exception as error:  # damage shows as half a dozen kinds of error
            raise WeightsError(
                f"{path.name} is not a complete safetensors file.",
                hint="Fetch it again: `whyfake weights fetch --profile full`.",
            ) from error
    try:
        loaded = torch.load(str(path), map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsError(
            f"{path.name} cannot be read as plain tensors; files that carry code are refused.",
            hint="Use the safetensors release: `whyfake weights fetch --profile full`.",
        ) from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    tensors = {k: v for k, v in (state or {}).items() if isinstance(v, torch.Tensor)}
    if not tensors:
        raise WeightsError(
            f"{path.name} holds no tensors.",
            hint="Fetch it again: `whyfake weights fetch --profile full`.",
        )
    return tensors


def map_published(
    state: Mapping[str, torch.Tensor],
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Map a published state dict to open_clip's visual tower and a linear head.

    Args:
        state: tensors of either layout.

    Returns:
        The tower's state dict (names of ``open_clip`` ``VisionTransformer``, no ``proj``) and the
        head's ``{"weight": 2 x width, "bias": 2}``.

    Raises:
        WeightsError: a key is unknown, missing or doubled; nothing is ever guessed.
    """
    tuned = any(_TUNED.search(key) for key in state)
    tower: dict[str, torch.Tensor] = {}
    head: dict[str, torch.Tensor] = {}
    parts: dict[str, dict[str, torch.Tensor]] = {}
    unknown: list[str] = []
    for key, tensor in state.items():
        if match := _HEAD.match(key):
            head[match[1]] = tensor
            continue
        if not _ROOT.match(key):
            unknown.append(key)
            continue
        name = _ROOT.sub("", key)
        if _UNUSED.search(name):
            continue
        name, superseded = _untangle(name, tuned=tuned, state=state, key=key)
        if superseded:
            continue
        if name in _TOP:
            tower[_TOP[name]] = tensor
        elif not _put_block(name, tensor, tower, parts):
            unknown.append(key)
    _join_qkv(parts, tower)
    _refuse(unknown, head)
    return tower, head


def _untangle(
    name: str, *, tuned: bool, state: Mapping[str, torch.Tensor], key: str
) -> tuple[str, bool]:
    """Take peft's wrapping off; the untuned twin of a tuned LayerNorm is superseded."""
    if _TUNED.search(name):
        return _TUNED.sub(".", name), False
    if ".base_layer." in name:
        stem, part = key.split(".base_layer.")
        twin = any(k.startswith(f"{stem}.ln_tuning_layers.") and k.endswith(part) for k in state)
        if not (tuned and twin):
            raise WeightsError(
                f"{key} is an untuned LayerNorm without its tuned twin.",
                hint="This checkpoint is not complete; fetch it again.",
            )
        return name, True
    return name, False


def _put_block(
    name: str,
    tensor: torch.Tensor,
    tower: dict[str, torch.Tensor],
    parts: dict[str, dict[str, torch.Tensor]],
) -> bool:
    match = _LAYER.match(name)
    if match is None:
        return False
    target = f"transformer.resblocks.{match[1]}"
    module, _, kind = match[2].rpartition(".")
    if module in _BLOCK:
        tower[f"{target}.{_BLOCK[module]}.{kind}"] = tensor
        return True
    if module in {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}:
        parts.setdefault(f"{target}.attn.in_proj_{kind}", {})[module[10]] = tensor
        return True
    return False


def _join_qkv(parts: dict[str, dict[str, torch.Tensor]], tower: dict[str, torch.Tensor]) -> None:
    for target, qkv in parts.items():
        missing = [p for p in "qkv" if p not in qkv]
        if missing:
            raise WeightsError(
                f"{target}: the {', '.join(missing)} projection is missing.",
                hint="This checkpoint is not complete; fetch it again.",
            )
        tower[target] = torch.cat([qkv[p] for p in "qkv"])


def _refuse(unknown: list[str], head: dict[str, torch.Tensor]) -> None:
    if unknown:
        raise WeightsError(
            f"{len(unknown)} unknown keys, the first is {sorted(unknown)[0]!r}.",
            hint="This is not a published LN-tuned CLIP layout that is known here.",
        )
    if set(head) != {"weight", "bias"} or head["weight"].shape[0] != 2:
        raise WeightsError(
            "The two-way linear head (real, fake) is missing or has another shape.",
            hint="Use the release named in `whyfake weights list --profile full`.",
        )


def write_full_base(checkpoint: Path, target: Path) -> None:
    """Write the published tower, tuned LayerNorms in place, under open_clip's names."""
    from safetensors.torch import save_file

    tower, _ = map_published(read_checkpoint(checkpoint))
    tensors = {name: tensor.float().contiguous() for name, tensor in tower.items()}
    save_file(tensors, target, metadata={"base": "CLIP ViT-L/14, LayerNorms tuned by its authors"})


def write_full_delta(checkpoint: Path, target: Path) -> None:
    """Write what was trained of a published detector (0.42 MB): tuned LayerNorms, head, crop.

    The calibration is the published softmax, marked as not fitted: its interval is everything and
    the verdict bands are wide. ``whyfake calibrate`` fits one on labelled pictures of one's own.

    Raises:
        WeightsError: the layout is not known, or the tower is not a ViT-L/14.
    """
    tower, head = map_published(read_checkpoint(checkpoint))
    layout = TOWERS["vit-l14"]
    with torch.device("meta"):  # only names and shapes are wanted
        empty = build_tower(layout)
    norms = set(layer_norms(empty))
    wanted = {name: tensor.shape for name, tensor in empty.state_dict().items()}
    found = {name: tensor.shape for name, tensor in tower.items()}
    if found != wanted or head["weight"].shape[1] != layout.width:
        raise WeightsError(
            "The checkpoint's tower is not a CLIP ViT-L/14.",
            hint="Use the release named in `whyfake weights list --profile full`.",
        )
    read_out = ClassTokenReadOut(width=layout.width, last_block=layout.layers - 1)
    write_delta(
        target,
        DeltaHeader(
            tower=layout,
            base_sha256=tower_sha256(tower),
            read_out=read_out.options(),
            crop=CropSpec(published=True),
            calibration=unfitted_softmax(),
            card={"source": "published", "file": checkpoint.name},
        ),
        norms={name: tower[name] for name in sorted(norms)},
        read_out={"linear.weight": head["weight"], "linear.bias": head["bias"]},
    )


def unfitted_softmax() -> dict[str, object]:
    """The softmax as a curve, in JSON; 0.738: a third party's Youden threshold for GenD on CLIP."""
    logits = [i / 4 for i in range(-32, 33)]
    probability = [1.0 / (1.0 + math.exp(-x)) for x in logits]
    return {
        "method": "softmax-not-fitted",
        "logits": logits,
        "probability": probability,
        "low": [0.0] * len(logits),
        "high": [1.0] * len(logits),
        "thresholds": [0.262, 0.738],
        "fitted_on": {"note": "not fitted: the published softmax; run `whyfake calibrate`"},
    }
