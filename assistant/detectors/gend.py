"""The ``gend`` detector: GenD on its other two towers, Perception Encoder L and DINOv3 L.

Yermakov, Cech, Matas, Fritz: "Deepfake Detection that Generalizes Across Benchmarks" (WACV 2026,
arXiv 2508.06248). As on CLIP, only LayerNorms were tuned; the feature is L2-normalised, and a
linear head gives real (0) and fake (1). Published as ``yermandy/GenD_PE_L``, whose tower has timm's
names, and ``yermandy/GenD_DINOv3_L``, with those of transformers. Both run here through timm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from assistant.compute import torch_device
from assistant.detectors.published import read_checkpoint, unfitted_softmax
from assistant.errors import ConfigError, InferenceError, OutOfMemory, WeightsError
from assistant.types import CropSpec, Image
from assistant.weights.store import file_sha256

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["GEND_TOWERS", "GendDetector", "GendTower", "build_gend_tower", "map_gend"]

_SIDE = 224
_TOWER = "feature_extractor.backbone."
_HEAD = "model.linear."
_FETCH = "Fetch model.safetensors of yermandy/GenD_PE_L or yermandy/GenD_DINOv3_L again."

_TOP = {
    "embeddings.cls_token": "cls_token",
    "embeddings.register_tokens": "reg_token",
    "embeddings.patch_embeddings.weight": "patch_embed.proj.weight",
    "embeddings.patch_embeddings.bias": "patch_embed.proj.bias",
    "norm.weight": "norm.weight",
    "norm.bias": "norm.bias",
}
_UNUSED = frozenset({"embeddings.mask_token"})  # for pre-training only
_LAYER = re.compile(r"^(?:model\.)?layer\.(\d+)\.(.+)$")  # transformers 5 put ``model.`` before it
_BLOCK = {
    "norm1.weight": "norm1.weight",
    "norm1.bias": "norm1.bias",
    "norm2.weight": "norm2.weight",
    "norm2.bias": "norm2.bias",
    "layer_scale1.lambda1": "gamma_1",
    "layer_scale2.lambda1": "gamma_2",
    "attention.q_proj.bias": "attn.q_bias",
    "attention.v_proj.bias": "attn.v_bias",
    "attention.o_proj.weight": "attn.proj.weight",
    "attention.o_proj.bias": "attn.proj.bias",
    "mlp.up_proj.weight": "mlp.fc1.weight",
    "mlp.up_proj.bias": "mlp.fc1.bias",
    "mlp.down_proj.weight": "mlp.fc2.weight",
    "mlp.down_proj.bias": "mlp.fc2.bias",
}
_QKV = {f"attention.{part}_proj.weight": part for part in "qkv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GendTower:
    """A tower as published.

    ``model``, ``options``: timm's name and what is said beside it. ``mean``, ``std``: of RGB in
    [0, 1]. ``on_floats``: whether a crop is resized after it became float (as transformers'
    processor of DINOv3 does, bilinear) or before (as timm does through Pillow, bicubic).
    """

    name: str
    model: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    on_floats: bool
    options: Mapping[str, Any] = field(default_factory=dict)


#: By the name that messages use.
GEND_TOWERS: Mapping[str, GendTower] = MappingProxyType(
    {
        "PE-L": GendTower(
            name="PE-L",
            model="vit_pe_core_large_patch14_336",
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            on_floats=False,
            options={"dynamic_img_size": True},  # positions of 336 px, resampled for 224
        ),
        "DINOv3-L": GendTower(
            name="DINOv3-L",
            model="vit_large_patch16_dinov3_qkvb",
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            on_floats=True,
            options={"global_pool": "token"},
        ),
    }
)


def build_gend_tower(tower: GendTower, **changes: Any) -> nn.Module:
    """A model of timm's without head, not yet loaded; B x 3 x 224 x 224 to B x width.

    Args:
        tower: one of :data:`GEND_TOWERS`.
        changes: other sizes than the published ones, in timm's names.
    """
    import timm

    options = {**tower.options, **changes}
    made: nn.Module = timm.create_model(tower.model, pretrained=False, num_classes=0, **options)
    return made.eval().requires_grad_(False)


def map_gend(
    state: Mapping[str, Tensor],
) -> tuple[GendTower, dict[str, Tensor], dict[str, Tensor]]:
    """Map a published state dict to a timm tower and a linear head.

    Returns:
        Which tower it is, the tower's state dict under timm's names, and the head's
        ``{"weight": 2 x width, "bias": 2}``.

    Raises:
        WeightsError: a key is unknown, missing or doubled; nothing is ever guessed.
    """
    parts: dict[str, dict[str, Tensor]] = {_TOWER: {}, _HEAD: {}}
    unknown = []
    for key, tensor in state.items():
        prefix = next((p for p in parts if key.startswith(p)), None)
        if prefix is None:
            unknown.append(key)
        else:
            parts[prefix][key.removeprefix(prefix)] = tensor
    if any(key.startswith("feature_extractor.vision_model.") for key in unknown):
        raise WeightsError(
            "This file is GenD on CLIP ViT-L/14, not on another tower.",
            hint="Use it through the full profile: `whyfake weights fetch --profile full`.",
            code="weights-layout",
        )
    backbone, head = parts[_TOWER], parts[_HEAD]
    if "embeddings.cls_token" in backbone:
        tower = GEND_TOWERS["DINOv3-L"]
        backbone, strange = _from_transformers(backbone)
        unknown += [_TOWER + key for key in strange]
    else:
        tower = GEND_TOWERS["PE-L"]  # timm's own names; the strict load tells a stranger
    if unknown or "cls_token" not in backbone:
        first = f", the first is {sorted(unknown)[0]!r}" if unknown else ""
        raise WeightsError(
            f"This is no GenD file that is known here: {len(unknown)} unknown keys{first}.",
            hint=_FETCH,
            code="weights-layout",
        )
    if set(head) != {"weight", "bias"} or head["weight"].shape[0] != 2:
        raise WeightsError(
            "The two-way linear head (real, fake) is missing or has another shape.",
            hint=_FETCH,
            code="weights-layout",
        )
    return tower, backbone, head


def _from_transformers(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """DINOv3's names in transformers as timm's, and the keys that are neither known nor unused."""
    out: dict[str, Tensor] = {}
    joined: dict[str, dict[str, Tensor]] = {}
    unknown = []
    for key, tensor in state.items():
        layer = _LAYER.match(key)
        if key in _TOP:
            out[_TOP[key]] = tensor
        elif layer and layer[2] in _BLOCK:
            out[f"blocks.{layer[1]}.{_BLOCK[layer[2]]}"] = tensor
        elif layer and layer[2] in _QKV:
            joined.setdefault(f"blocks.{layer[1]}.attn.qkv.weight", {})[_QKV[layer[2]]] = tensor
        elif key not in _UNUSED:
            unknown.append(key)
    for name, qkv in joined.items():
        missing = [part for part in "qkv" if part not in qkv]
        if missing:
            raise WeightsError(
                f"{name}: the {', '.join(missing)} projection is missing.",
                hint=_FETCH,
                code="weights-layout",
            )
        out[name] = torch.cat([qkv[part] for part in "qkv"])
    return out, unknown


class GendDetector:
    """Scores aligned face crops; a :class:`assistant.interfaces.Detector`, without a trace."""

    name = "gend"
    citation = (
        "Yermakov, Cech, Matas, Fritz: Deepfake Detection that Generalizes Across Benchmarks, WACV "
        "2026 (arXiv 2508.06248)"
    )
    crop_spec = CropSpec(published=True)
    #: For :meth:`assistant.calibration.CurveCalibrator.from_json`: the published softmax.
    calibration: Mapping[str, Any] = MappingProxyType(unfitted_softmax())

    def __init__(
        self,
        spec: GendTower,
        tower: nn.Module,
        head: nn.Linear,
        *,
        weights_sha256: str,
        device: str = "cpu",
        batch_size: int = 8,
    ) -> None:
        self._spec = spec
        self._device = torch.device(device)
        self._tower = tower.to(self._device)
        self._head = head.to(self._device).requires_grad_(False)
        self._mean = torch.tensor(spec.mean, device=self._device).view(3, 1, 1)
        self._std = torch.tensor(spec.std, device=self._device).view(3, 1, 1)
        self._batch_size = batch_size
        self.weights_sha256 = weights_sha256

    @classmethod
    def from_settings(cls, settings: Settings) -> GendDetector:
        """With the file that ``detector_weights`` names.

        Raises:
            ConfigError: none is named.
        """
        return cls.load(
            _given(settings),
            device=torch_device(settings.device),
            accept_unpinned=settings.accept_unpinned,
        )

    @classmethod
    def ready(cls, settings: Settings) -> bool:
        """False: the published softmax is not calibrated.

        Raises:
            ConfigError: no file is named.
        """
        _given(settings)
        return False

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        device: str = "cpu",
        accept_unpinned: bool = False,
        build: Callable[[GendTower], nn.Module] | None = None,
    ) -> GendDetector:
        """Load a published ``model.safetensors``, strictly.

        Args:
            path: the file.
            device: a torch device.
            accept_unpinned: their SHA-256 is not known to this project, so this must be said.
            build: makes the tower; default :func:`build_gend_tower` (tests make small ones).

        Raises:
            WeightsError: missing, not accepted, damaged, of another layout or of another size.
        """
        try:
            sha256 = file_sha256(path)
        except OSError as error:
            raise WeightsError(
                f"{path} cannot be read: {error.strerror}.",
                hint="Set detector_weights to the path of GenD's model.safetensors.",
                code="weights-missing",
            ) from error
        if not accept_unpinned:
            raise WeightsError(
                f"{path.name} has no published SHA-256 to be checked against; it is {sha256}.",
                hint="Compare that with the publisher's page, then allow it with "
                "--accept-unpinned (ASSISTANT_ACCEPT_UNPINNED=true).",
                code="weights-unpinned",
            )
        spec, state, head = map_gend(read_checkpoint(path))
        tower, linear = (build or build_gend_tower)(spec), nn.Linear(head["weight"].shape[1], 2)
        try:
            tower.load_state_dict({name: t.float() for name, t in state.items()}, strict=True)
            linear.load_state_dict({name: t.float() for name, t in head.items()}, strict=True)
        except RuntimeError as error:
            said = " ".join(str(error).split())[:300]
            raise WeightsError(
                f"{path.name} does not hold GenD's {spec.name}: {said}",
                hint=_FETCH,
                code="weights-shape",
            ) from error
        return cls(spec, tower, linear, weights_sha256=sha256, device=device)

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """Raw scores (fake less real) of square RGB uint8 crops, one each.

        Raises:
            InferenceError: a score is not finite.
            OutOfMemory: too little memory for a batch of crops.
        """
        out = np.empty(len(crops), np.float64)
        with torch.inference_mode():
            for start in range(0, len(crops), self._batch_size):
                batch = crops[start : start + self._batch_size]
                try:
                    pixels = torch.stack([self._pixels(crop) for crop in batch])
                    feature = functional.normalize(self._tower(pixels), dim=-1)
                    real, fake = self._head(feature).double().cpu().numpy().T
                except (torch.OutOfMemoryError, MemoryError) as error:
                    raise OutOfMemory(
                        f"There is too little memory to score {len(batch)} faces at once.",
                        hint="Use the embedded profile's detector: detector=clip-ln.",
                    ) from error
                out[start : start + len(batch)] = fake - real
        if not np.isfinite(out).all():
            raise InferenceError(
                f"{int((~np.isfinite(out)).sum())} of {len(out)} faces got a score that is no "
                "number.",
                hint=_FETCH,
                code="score-not-finite",
            )
        return out

    def provenance(self) -> Mapping[str, str]:
        """Tower, the file's hash and device."""
        return {
            "base": f"GenD {self._spec.name}",
            "weights_sha256": self.weights_sha256,
            "device": str(self._device),
        }

    def _pixels(self, crop: Image) -> Tensor:
        if not self._spec.on_floats:
            size = (_SIDE, _SIDE)
            crop = np.array(PIL.Image.fromarray(crop).resize(size, PIL.Image.Resampling.BICUBIC))
        pixels = torch.from_numpy(np.ascontiguousarray(crop)).to(self._device)
        pixels = pixels.permute(2, 0, 1).float() / 255.0
        if pixels.shape[1:] != (_SIDE, _SIDE):
            pixels = functional.interpolate(
                pixels[None], (_SIDE, _SIDE), mode="bilinear", antialias=True
            )[0]
        return (pixels - self._mean) / self._std


def _given(settings: Settings) -> Path:
    """The file that is named."""
    if settings.detector_weights is None:
        raise ConfigError(
            "The detector gend needs the path of its weights.",
            hint="Fetch model.safetensors of yermandy/GenD_PE_L or yermandy/GenD_DINOv3_L, "
            "then `--weights PATH`.",
        )
    return settings.detector_weights
