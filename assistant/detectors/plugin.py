"""The base of detectors that Whyfake trains itself: options, recipe, network, file.

A plugin is one class. It names its ``Options`` and ``recipe``, builds its network, and may bring a
``loss`` of its own; :mod:`assistant.training.field` trains any of them. A network takes RGB pixels
B x 3 x S x S in [0, 1] and gives B logits, larger = more likely manipulated.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from assistant import registry
from assistant.compute import torch_device
from assistant.errors import ConfigError, InferenceError, OutOfMemory, WeightsError
from assistant.interfaces import Detector
from assistant.types import CropSpec, Image, Trace

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = [
    "FIELD_CROP",
    "FeatureStore",
    "Files",
    "FrozenFeatures",
    "PluginOptions",
    "Recipe",
    "TrainedDetector",
    "checked_options",
    "file_sha256",
    "refuse_layers",
    "to_pixels",
    "trace_of",
]

FORMAT = "whyfake.plugin/1"
#: Options that name files of one machine: given anew wherever the detector is loaded.
_PATHS = {"weights", "start", "identity"}
_Options = TypeVar("_Options", bound="PluginOptions")
#: The same crop for all of them, so that a comparison finds every face once.
FIELD_CROP = CropSpec(size=224, scale=0.95, shift_y=-0.13)


class PluginOptions(BaseModel):
    """What fixes a plugin's network; kept in its file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipe(BaseModel):
    """How a plugin is trained.

    ``fakes``: ``given`` takes the manifest's manipulated faces, ``self-blended`` makes them from
    the genuine ones and reads no others, ``made`` also pastes pieces into pictures without a face.
    ``decay`` is AdamW's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(default=40, ge=1)
    batch: int = Field(default=16, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0)
    decay: float = Field(default=1e-4, ge=0)
    fakes: Literal["given", "self-blended", "made"] = "given"
    augment: bool = True


def _no_member(name: str) -> Detector:
    raise ConfigError(
        f"The detector {name} is not at hand here.", hint="Load the ensemble from settings."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where a plugin finds the models it is built on: ``locate`` gives a verified path by name.

    ``starting``: training begins; false where the plugin's own file will hold all that is tuned.
    ``member``: another detector by name, for those that are made of several.
    """

    locate: Callable[[str], Path]
    profile: str = "embedded"
    starting: bool = True
    member: Callable[[str], Detector] = _no_member

    @classmethod
    def of(cls, settings: Settings) -> Files:
        """Those of the weights manifest."""
        from assistant.weights import locate

        def found(name: str) -> Path:
            return locate(
                name, data_dir=settings.data_dir, accept_unpinned=settings.accept_unpinned
            )

        def member(name: str) -> Detector:
            own = settings.model_copy(update={"detector_weights": None, "detector_options": ""})
            made: Detector = registry.load(
                "detectors", name, plugins=settings.plugins
            ).from_settings(own)
            return made

        return cls(locate=found, profile=settings.profile, member=member)


class FrozenFeatures(nn.Module):
    """A network whose lower part is never trained: logits are ``head(features(pixels))``.

    Training computes the features once. Networks of the same ``feature_key`` share them.
    """

    feature_key: str = ""

    def features(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S to B x F."""
        raise NotImplementedError

    def head(self, features: Tensor) -> Tensor:
        """B x F to B logits."""
        raise NotImplementedError

    def forward(self, pixels: Tensor) -> Tensor:
        """B x 3 x S x S in [0, 1] to B logits."""
        with torch.no_grad():
            found = self.features(pixels)
        return self.head(found)


class FeatureStore:
    """Features of frozen towers by crop, shared by the detectors on the same tower.

    Args:
        folder: where they are kept between runs; None keeps them in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, dict[str, NDArray[np.float32]]] = {}

    def of(
        self, network: FrozenFeatures, crops: Sequence[Image], *, until: float = math.inf
    ) -> Tensor:
        """N x F, in the order of the crops: fewer where the clock reaches ``until`` (monotonic)."""
        known = self._load(network.feature_key)
        names = [hashlib.sha256(np.ascontiguousarray(c).tobytes()).hexdigest()[:32] for c in crops]
        device = next(network.parameters()).device
        before, count = len(known), len(crops)
        for start in range(0, len(crops), 16):
            part = range(start, min(start + 16, len(crops)))
            missing = [i for i in part if names[i] not in known]
            if missing and start and time.monotonic() > until:
                count = start
                break
            if missing:
                pixels = to_pixels([crops[i] for i in missing], crops[0].shape[0]).to(device)
                with torch.no_grad():
                    values = network.features(pixels).cpu().numpy()
                known |= dict(zip((names[i] for i in missing), values, strict=True))
        if len(known) > before:
            self._save(network.feature_key)
        found = np.stack([known[name] for name in names[:count]])
        return torch.from_numpy(found).to(device)

    def _path(self, key: str) -> Path | None:
        return None if self._folder is None else self._folder / f"features-{key}.npz"

    def _load(self, key: str) -> dict[str, NDArray[np.float32]]:
        path = self._path(key)
        if key not in self._known:
            self._known[key] = {}
            if path is not None and path.is_file():
                with np.load(path) as kept:
                    self._known[key] = dict(
                        zip(kept["names"].tolist(), kept["values"], strict=True)
                    )
        return self._known[key]

    def _save(self, key: str) -> None:
        path, known = self._path(key), self._known[key]
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}")
            np.savez(draft, names=np.array(list(known)), values=np.stack(list(known.values())))
            draft.replace(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    options: Mapping[str, Any]
    base_sha256: str = ""
    calibration: Mapping[str, Any] | None = None
    card: Mapping[str, Any] = field(default_factory=dict)


class TrainedDetector:
    """A :class:`assistant.interfaces.Detector` around a network of :meth:`build`."""

    name: ClassVar[str]
    citation: ClassVar[str]
    #: What the paper reports, for the table of a comparison.
    reported: ClassVar[str] = ""
    Options: ClassVar[type[PluginOptions]] = PluginOptions
    recipe: ClassVar[Recipe] = Recipe()
    crop_spec: CropSpec = FIELD_CROP
    #: Tensors under these prefixes belong to the base: kept in the file only where they were tuned.
    base_prefixes: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        network: nn.Module,
        options: PluginOptions,
        *,
        calibration: Mapping[str, Any] | None = None,
        weights_sha256: str = "untrained",
        card: Mapping[str, Any] | None = None,
        device: str = "cpu",
        batch_size: int = 16,
    ) -> None:
        self.network = network.to(device)
        self.options = options
        self.calibration = calibration
        self.weights_sha256 = weights_sha256
        self.card = dict(card or {})
        #: Where detectors on the same tower share what it gives; None: nothing is kept.
        self.store: FeatureStore | None = None
        self._device = torch.device(device)
        self._batch_size = batch_size

    @classmethod
    def build(cls, options: Any, files: Files) -> nn.Module:
        """The network, with its base loaded and what is trained as it starts.

        Raises:
            WeightsError: a model that it is built on is missing or of another shape.
        """
        raise NotImplementedError

    @classmethod
    def loss(
        cls, forward: Callable[[Tensor], Tensor], values: Tensor, labels: Tensor, masks: Tensor
    ) -> Tensor:
        """Of a batch.

        Args:
            forward: the network; of frozen features, its head.
            values: pixels B x 3 x S x S in [0, 1]; of frozen features, these.
            labels: B, 1 = manipulated.
            masks: B x S x S of what was blended, 0 elsewhere; empty for frozen features.
        """
        logits = forward(values)
        return functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))

    @classmethod
    def create(cls, options: Mapping[str, Any], files: Files) -> Self:
        """A detector that is still to be trained."""
        chosen = checked_options(cls.name, cls.Options, options)
        return cls(cls.build(chosen, files), chosen)

    @classmethod
    def load(
        cls,
        path: Path,
        files: Files,
        *,
        runtime: Mapping[str, Any] | None = None,
        device: str = "cpu",
    ) -> Self:
        """Read a file of :meth:`save`, strictly; ``runtime`` goes before the options in it.

        Raises:
            WeightsError: missing, damaged, of another plugin, another base or another shape.
        """
        header, tensors, sha256 = _read(path, cls.name)
        options = checked_options(cls.name, cls.Options, {**header.options, **(runtime or {})})
        network = cls.build(options, replace(files, starting=False))
        base = str(getattr(network, "base_sha256", ""))
        if header.base_sha256 != base:
            raise WeightsError(
                f"{path.name} was trained on the base {header.base_sha256[:12]}, but the base here "
                f"is {base[:12]}.",
                hint=f"Train it again: `whyfake train plugin {cls.name}`.",
                code="weights-other-base",
            )
        own = network.state_dict()
        trained = {n for n, p in network.named_parameters() if p.requires_grad}
        wanted = trained | {n for n in own if not n.startswith(cls.base_prefixes or ("\0",))}
        strange = sorted((wanted - set(tensors)) | (set(tensors) - set(own)))
        strange += [n for n in tensors if n in own and own[n].shape != tensors[n].shape]
        if strange:
            raise WeightsError(
                f"{path.name} does not hold this network of {cls.name}: {len(strange)} tensors are "
                f"missing, unknown or of another shape, the first is {strange[0]!r}.",
                hint=f"Use weights of {cls.name} with these options, or train them again.",
                code="weights-shape",
            )
        network.load_state_dict(tensors, strict=False)
        network.eval().requires_grad_(False)
        return cls(
            network,
            options,
            calibration=header.calibration,
            weights_sha256=sha256,
            card=header.card,
            device=device,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """With ``detector_weights``, or what `whyfake train plugin` left in the data folder.

        Raises:
            WeightsError: it was not trained yet.
        """
        path = settings.detector_weights or cls.home(settings)
        return cls.load(
            path,
            Files.of(settings),
            runtime=json.loads(settings.detector_options or "{}"),
            device=torch_device(settings.device),
        )

    @classmethod
    def home(cls, settings: Settings) -> Path:
        """Where its trained file lies in the data folder."""
        from assistant.weights import data_dir_or_default

        return data_dir_or_default(settings.data_dir) / "detectors" / f"{cls.name}.safetensors"

    def save(
        self, path: Path, *, calibration: Mapping[str, Any] | None, card: Mapping[str, Any]
    ) -> None:
        """Write what was trained, with options, calibration and card, to one safetensors file."""
        trained = {n for n, p in self.network.named_parameters() if p.requires_grad}
        tensors = {
            name: tensor.detach().float().cpu().contiguous()
            if tensor.is_floating_point()
            else tensor.cpu().contiguous()
            for name, tensor in self.network.state_dict().items()
            if name in trained or not name.startswith(self.base_prefixes or ("\0",))
        }
        text = json.dumps(
            {
                "format": FORMAT,
                "plugin": self.name,
                "options": self.options.model_dump(mode="json", exclude=_PATHS),
                "base_sha256": str(getattr(self.network, "base_sha256", "")),
                "calibration": None if calibration is None else dict(calibration),
                "card": dict(card),
            },
            sort_keys=True,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        save_file(tensors, draft, metadata={"whyfake": text})
        draft.replace(path)

    def pixels(self, crops: Sequence[Image]) -> Tensor:
        """RGB uint8 crops as the network takes them."""
        return to_pixels(crops, self.crop_spec.size).to(self._device)

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """Raw scores of RGB uint8 crops, one each; larger = more likely manipulated.

        Raises:
            InferenceError: a score is not finite.
            OutOfMemory: too little memory for a batch.
        """
        self.network.eval()
        out = np.empty(len(crops), np.float64)
        with torch.no_grad():
            for start in range(0, len(crops), self._batch_size):
                part = crops[start : start + self._batch_size]
                try:
                    found = self._scores(part)
                except (torch.OutOfMemoryError, MemoryError) as error:
                    raise OutOfMemory(
                        f"There is too little memory to score {len(part)} faces at once.",
                        hint="Choose a smaller detector: `whyfake plugins list`.",
                    ) from error
                out[start : start + len(part)] = found.double().cpu().numpy()
        if not np.isfinite(out).all():
            raise InferenceError(
                f"{self.name} gave {int((~np.isfinite(out)).sum())} of {len(out)} faces a score "
                "that is no number.",
                hint=f"Train it again: `whyfake train plugin {self.name}`.",
                code="score-not-finite",
            )
        return out

    def _scores(self, crops: Sequence[Image]) -> Tensor:
        network = self.network
        if self.store is not None and isinstance(network, FrozenFeatures) and network.feature_key:
            return network.head(self.store.of(network, crops))
        found: Tensor = network(self.pixels(crops))
        return found

    def provenance(self) -> Mapping[str, str]:
        """Weights, base and paper."""
        return {
            "weights_sha256": self.weights_sha256,
            "base_sha256": str(getattr(self.network, "base_sha256", "")),
            "citation": self.citation,
            "device": str(self._device),
        }


def trace_of(logit: Tensor, tokens: Tensor, grid: tuple[int, int], *, prefix: int) -> Trace:
    """A trace of the 1 x T x C tokens that ``logit`` was computed from: they, and its gradient."""
    (gradient,) = torch.autograd.grad(logit.sum(), [tokens])
    return Trace(
        logit=float(logit.detach().double()[0]),
        layers=(),
        grid=grid,
        prefix=prefix,
        tokens=tokens.detach().float().cpu().numpy(),
        token_gradient=gradient.float().cpu().numpy(),
    )


def refuse_layers(name: str, layers: Sequence[int] | None) -> None:
    """Attention is not kept by these detectors.

    Raises:
        InferenceError: some was asked for.
    """
    if layers is not None:
        raise InferenceError(
            f"The detector {name} keeps no attention.",
            hint="Use the attributor `patch-lens`, or `occlusion`, which only needs scores.",
            code="no-gradients",
        )


def to_pixels(crops: Sequence[Image], side: int) -> Tensor:
    """RGB uint8 crops as float32 B x 3 x side x side in [0, 1]."""
    sized = [c if c.shape[:2] == (side, side) else cv2.resize(c, (side, side)) for c in crops]
    return torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255.0


def checked_options(name: str, kind: type[_Options], values: Mapping[str, Any]) -> _Options:
    """A plugin's options from plain values.

    Raises:
        ConfigError: names every option that is unknown or wrong.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or 'options'}: {e['msg']}" for e in error.errors()
        )
        raise ConfigError(
            f"The options of the detector {name} are wrong: {wrong}.",
            hint=f"It takes: {', '.join(kind.model_fields) or 'none'}.",
            code="plugin-options",
        ) from error


def file_sha256(path: Path) -> str:
    """Of a file, as hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(path: Path, name: str) -> tuple[_Header, dict[str, Tensor], str]:
    if not path.is_file():
        raise WeightsError(
            f"The detector {name} has no weights at {path.name}.",
            hint=f"Train it: `whyfake train plugin {name} --manifest data.csv`, or give its file "
            "with --set detector_weights=PATH.",
            code="weights-missing",
        )
    try:
        with safe_open(path, framework="pt") as file:
            values = json.loads((file.metadata() or {})["whyfake"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        plugin = str(values["plugin"])
        header = _Header(
            options=values["options"],
            base_sha256=values["base_sha256"],
            calibration=values["calibration"],
            card=values["card"],
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path.name} is no file of a trained detector: {type(error).__name__}: {error}",
            hint=f"Train it: `whyfake train plugin {name} --manifest data.csv`.",
            code="weights-damaged",
        ) from error
    if values["format"] != FORMAT or plugin != name:
        raise WeightsError(
            f"{path.name} holds the detector {plugin}, not {name}.",
            hint=f"Choose it with --set detector={plugin}.",
            code="weights-other-plugin",
        )
    return header, tensors, file_sha256(path)
