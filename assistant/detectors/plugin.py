"""The base of detectors that Whyfake trains itself: options, recipe, network, file.

A plugin is one class. It names its ``Options`` and ``recipe``, builds its network, and may bring a
``loss`` of its own; :mod:`assistant.training.field` trains any of them. A network takes RGB pixels
B x 3 x S x S in [0, 1] and gives B logits, larger = more likely manipulated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from assistant import registry
from assistant.compute import torch_device
from assistant.detectors.frozen import FeatureStore, FrozenFeatures, to_pixels
from assistant.detectors.plugin_file import FORMAT, read, read_header
from assistant.errors import ConfigError, InferenceError, OutOfMemory, WeightsError
from assistant.interfaces import Detector
from assistant.types import CropSpec, Image, Trace

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = [
    "FIELD_CROP",
    "Files",
    "PluginOptions",
    "Recipe",
    "TrainedDetector",
    "checked_options",
    "refuse_layers",
    "trace_of",
]

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
    ``decay`` is AdamW's. ``first``: the head on the features of the tower as it was, before the
    whole is trained (the network's ``probe()``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(default=40, ge=1)
    batch: int = Field(default=16, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0)
    decay: float = Field(default=1e-4, ge=0)
    fakes: Literal["given", "self-blended", "made"] = "given"
    augment: bool = True
    first: Recipe | None = None


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


class TrainedDetector:
    """A :class:`assistant.interfaces.Detector` around a network of :meth:`build`."""

    name: str
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
        header, tensors, sha256 = read(path, cls.name)
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
    def ready(cls, settings: Settings) -> bool:
        """Whether its file holds a calibration; the network is not loaded.

        Raises:
            WeightsError: there is no file of it, or one of another detector.
        """
        header = read_header(settings.detector_weights or cls.home(settings), cls.name)
        return header.calibration is not None

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
