"""ViT-L/14 on a CPU: our batched way beside the authors' (transformers, float32, one by one).

No published weights are needed to measure speed: both run the same random tower of full size. The
largest change of probability between the two is reported with the ratio.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from assistant.detectors.clip_ln import ClipLnDetector

__all__ = ["bench_vit_l", "portrait_crops"]

_BATCH = 8


def bench_vit_l(*, rounds: int = 3) -> dict[str, Any]:
    """Images a second of both ways and their ratio, taken in turns.

    Returns:
        ``ratios.vitl_over_reference`` (bfloat16, batched), ``ratios.vitl_float32_over_reference``,
        ``seconds`` an image and ``vitl.largest_change_of_probability`` over the pictures.
    """
    import torch

    crops = portrait_crops(_BATCH)
    state = _random_state()
    reference = _reference(state)
    ours32 = _ours(state, "float32")
    ours16 = _ours(state, "bfloat16")

    def authors(images: list[np.ndarray]) -> np.ndarray:
        return np.array([reference(image) for image in images])

    seconds: dict[str, list[float]] = {"reference": [], "float32": [], "bfloat16": []}
    jobs: dict[str, Callable[[], np.ndarray]] = {
        "reference": lambda: authors(crops[:2]),  # one by one: two tell the time of each
        "float32": lambda: ours32.logits(crops),
        "bfloat16": lambda: ours16.logits(crops),
    }
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            began = time.perf_counter()
            values = job()
            if turn:
                seconds[name].append((time.perf_counter() - began) / len(values))
    with torch.inference_mode():
        scores = {
            "reference": authors(crops),
            "float32": ours32.logits(crops),
            "bfloat16": ours16.logits(crops),
        }
    per_image = {name: float(np.median(values)) for name, values in seconds.items()}
    change = {
        name: float(np.abs(_sigmoid(scores[name]) - _sigmoid(scores["reference"])).max())
        for name in ("float32", "bfloat16")
    }
    return {
        "seconds": {f"vitl_{name}": round(value, 4) for name, value in per_image.items()},
        "ratios": {
            "vitl_over_reference": round(per_image["reference"] / per_image["bfloat16"], 3),
            "vitl_float32_over_reference": round(per_image["reference"] / per_image["float32"], 3),
        },
        "vitl": {
            "batch": _BATCH,
            "rounds": rounds,
            "largest_change_of_probability": {k: round(v, 6) for k, v in change.items()},
            "weights": "random, full size (no published weights are needed to measure speed)",
        },
    }


def portrait_crops(count: int) -> list[np.ndarray]:
    """Crops of the shipped portrait at several places and sizes, 224 x 224 RGB uint8."""
    import cv2
    from skimage import data

    photo: np.ndarray = data.astronaut()
    out = []
    for i in range(count):
        side = 160 + 24 * i
        top, left = 8 * i, 120 - 10 * i
        left = max(left, 0)
        out.append(cv2.resize(photo[top : top + side, left : left + side], (224, 224)))
    return out


def _random_state() -> Any:
    """A published layout at random weights, as ``map_published`` gives it."""
    import torch

    from assistant.detectors.tower import TOWERS, build_tower

    torch.manual_seed(0)
    tower = build_tower(TOWERS["vit-l14"])
    state = {name: tensor.clone() for name, tensor in tower.state_dict().items()}
    for name, tensor in state.items():
        if tensor.ndim > 1 and not torch.isfinite(tensor).all():
            state[name] = torch.randn_like(tensor) * 0.02
    head = torch.nn.Linear(1024, 2)
    with torch.no_grad():
        head.weight.mul_(100.0)  # the fitted head's norm is about 100
    return state, head


def _ours(state_and_head: Any, precision: str) -> ClipLnDetector:
    from assistant.detectors.clip_ln import ClipLnDetector
    from assistant.detectors.delta_file import DeltaHeader
    from assistant.detectors.read_out import ClassTokenReadOut
    from assistant.detectors.tower import TOWERS, build_tower
    from assistant.types import CropSpec

    state, head = state_and_head
    layout = TOWERS["vit-l14"]
    tower = build_tower(layout)
    tower.load_state_dict(state, strict=True)
    read_out = ClassTokenReadOut(width=layout.width, last_block=layout.layers - 1)
    read_out.linear.load_state_dict(head.state_dict())
    header = DeltaHeader(
        tower=layout, base_sha256="", read_out=read_out.options(), crop=CropSpec(size=224)
    )
    return ClipLnDetector(
        tower, read_out, header, weights_sha256="", precision=precision, batch_size=_BATCH
    )


def _reference(state_and_head: Any) -> Any:
    """The CLIP of transformers in float32 with its own processing, one picture a call."""
    import torch
    from PIL import Image
    from transformers import CLIPVisionConfig, CLIPVisionModel
    from transformers.models.clip.image_processing_clip import CLIPImageProcessor

    state, head = state_and_head
    config = CLIPVisionConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        image_size=224,
        patch_size=14,
        hidden_act="quick_gelu",
    )
    model = CLIPVisionModel(config)
    model.eval()
    model.load_state_dict(_to_transformers(state, model), strict=True)
    processor = CLIPImageProcessor()

    def score(image: np.ndarray) -> float:
        pixels = processor(Image.fromarray(image), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            feature = torch.nn.functional.normalize(model(pixels).pooler_output, dim=-1)
            real, fake = head(feature)[0]
        return float(fake - real)

    return score


def _to_transformers(state: dict[str, Any], model: Any) -> dict[str, Any]:
    """The reverse of ``map_published``, for the tower."""
    from assistant.detectors.published import map_published

    theirs = model.state_dict()
    prefix = "" if next(iter(theirs)).startswith("vision_model.") else "vision_model."
    marked = {f"feature_extractor.{prefix}{name}": tensor for name, tensor in theirs.items()}
    out: dict[str, Any] = {}
    for name, tensor in theirs.items():
        key = f"feature_extractor.{prefix}{name}"
        if "_proj." in name and "out_proj" not in name:
            layer = name.split(".layers.")[1].split(".")[0]
            part = "qkv".index(name.split("self_attn.")[1][0])
            kind = name.rsplit(".", 1)[1]
            joined = state[f"transformer.resblocks.{layer}.attn.in_proj_{kind}"]
            out[name] = joined.chunk(3)[part]
        elif name.endswith("position_ids"):
            out[name] = tensor
        else:
            out[name] = state[_our_name(key, marked[key], map_published)]
    return out


def _our_name(key: str, tensor: Any, mapper: Any) -> str:
    import torch

    head = {"model.linear.weight": torch.zeros(2, 1), "model.linear.bias": torch.zeros(2)}
    tower, _ = mapper({key: tensor, **head})
    name: str = next(iter(tower))
    return name


def _sigmoid(x: np.ndarray) -> np.ndarray:
    squashed: np.ndarray = 1.0 / (1.0 + np.exp(-x))
    return squashed
