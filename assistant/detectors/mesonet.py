"""MesoNet (Meso-4), the small network of 2018: a baseline that the other rows are read against.

Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network", WIFS 2018
(arXiv 1809.00888). Reads the published Keras weights (Apache-2.0) as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from assistant.detectors.plugin import refuse_layers, trace_of
from assistant.detectors.published import accepted_path, unfitted_softmax
from assistant.errors import InferenceError, PluginError, WeightsError
from assistant.types import CropSpec, Image, Trace

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["MesoNetDetector"]

_SIDE = 256
_CONVOLUTIONS = ((3, 8, 3, 2), (8, 8, 5, 2), (8, 16, 5, 2), (16, 16, 5, 4))


class _Meso4(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs, kernel, pool in _CONVOLUTIONS:
            layers += [
                nn.Conv2d(inputs, outputs, kernel, padding="same"),
                nn.ReLU(),
                nn.BatchNorm2d(outputs, eps=1e-3),
                nn.MaxPool2d(pool),
            ]
        self.features = nn.Sequential(*layers)
        self.hidden = nn.Linear(1024, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.tokens(pictures))

    def tokens(self, pictures: torch.Tensor) -> torch.Tensor:
        """B x places x C of the last maps."""
        # Keras flattens with the channels last
        found: torch.Tensor = self.features(pictures).permute(0, 2, 3, 1).flatten(1, 2)
        return found

    def head(self, tokens: torch.Tensor) -> torch.Tensor:
        """B logits of the published output, which is larger for real."""
        flat = tokens.flatten(1)
        logits: torch.Tensor = self.out(nn.functional.leaky_relu(self.hidden(flat), 0.1))[:, 0]
        return logits


class MesoNetDetector:
    """Scores crops with Meso-4; a :class:`assistant.interfaces.Detector`."""

    name = "mesonet"
    citation = (
        "Afchar et al.: MesoNet: a Compact Facial Video Forgery Detection Network, WIFS 2018 "
        "(arXiv 1809.00888)"
    )
    #: The published sigmoid, which was never fitted.
    calibration: Mapping[str, Any] = MappingProxyType(unfitted_softmax())
    reported = "FF++ c40 0.592, DFDC 0.556 (trained on FF++; DeepfakeBench)"
    crop_spec = CropSpec(size=_SIDE, scale=1.3)
    #: Its trace is of maps, for Grad-CAM.
    has_maps = True

    def __init__(self, network: _Meso4, *, weights_sha256: str) -> None:
        self._network = network.eval().requires_grad_(False)
        self.weights_sha256 = weights_sha256

    @classmethod
    def from_settings(cls, settings: Settings) -> MesoNetDetector:
        """With the Keras file that ``detector_weights`` names.

        Raises:
            WeightsError: none is named, or it is not accepted.
        """
        return cls.load(_given(settings))

    @classmethod
    def ready(cls, settings: Settings) -> bool:
        """False: the published weights are not calibrated.

        Raises:
            WeightsError: no file is named, or it is not accepted.
        """
        _given(settings)
        return False

    @classmethod
    def load(cls, path: Path) -> MesoNetDetector:
        """Read ``Meso4_DF.h5`` or ``Meso4_F2F.h5``.

        Raises:
            PluginError: h5py is not installed.
            WeightsError: the file is missing or holds another network.
        """
        try:
            import h5py
        except ImportError as error:
            raise PluginError(
                "MesoNet's weights need h5py, which is not installed.",
                hint="Install it: pip install h5py.",
            ) from error
        found: dict[str, NDArray[np.float32]] = {}

        def collect(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                found[name] = np.asarray(item, np.float32)

        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            with h5py.File(path) as file:
                file.visititems(collect)
            network = _Meso4()
            network.load_state_dict(_state(found))
        except (OSError, KeyError, RuntimeError, IndexError) as error:
            raise WeightsError(
                f"{path} does not hold Meso-4's weights: {error}.",
                hint="Use Meso4_DF.h5 or Meso4_F2F.h5 of the published repository.",
            ) from error
        return cls(network, weights_sha256=digest)

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """Raw scores, larger = more likely manipulated.

        Raises:
            InferenceError: a score is not finite.
        """
        out = np.empty(len(crops), np.float64)
        with torch.inference_mode():
            for start in range(0, len(crops), 32):
                part = [cv2.resize(c, (_SIDE, _SIDE)) for c in crops[start : start + 32]]
                pixels = torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2).float() / 255.0
                # the published output is 1 for real
                out[start : start + len(part)] = -self._network(pixels).double().numpy()
        if not np.isfinite(out).all():
            raise InferenceError("MesoNet gave a score that is no number.", hint="Check the file.")
        return out

    def trace(self, crop: Image, *, layers: Sequence[int] | None = None) -> Trace:
        """The last maps as tokens, and the logit's gradient with respect to them.

        Raises:
            InferenceError: attention was asked for.
        """
        refuse_layers(self.name, layers)
        pixels = torch.from_numpy(cv2.resize(crop, (_SIDE, _SIDE))).permute(2, 0, 1)[None] / 255.0
        with torch.no_grad():
            tokens = self._network.tokens(pixels)
        side = round(tokens.shape[1] ** 0.5)
        with torch.enable_grad():
            tokens.requires_grad_()
            return trace_of(-self._network.head(tokens), tokens, (side, side), prefix=0)

    def provenance(self) -> Mapping[str, str]:
        """The file's hash."""
        return {"model": "Meso-4 (published weights)", "weights_sha256": self.weights_sha256}


def _state(found: Mapping[str, NDArray[np.float32]]) -> dict[str, torch.Tensor]:
    def layers(kind: str) -> list[str]:
        names = {n.split("/")[0] for n in found if n.startswith(kind)}
        return sorted(names, key=lambda n: int(n.rsplit("_", 1)[1]))

    def get(layer: str, value: str) -> torch.Tensor:
        return torch.from_numpy(found[f"{layer}/{layer}/{value}:0"])

    out: dict[str, torch.Tensor] = {}
    for index, (conv, norm) in enumerate(
        zip(layers("conv2d"), layers("batch_normalization"), strict=False)
    ):
        base, after = f"features.{4 * index}", f"features.{4 * index + 2}"
        out[f"{base}.weight"] = get(conv, "kernel").permute(3, 2, 0, 1).contiguous()
        out[f"{base}.bias"] = get(conv, "bias")
        out[f"{after}.weight"], out[f"{after}.bias"] = get(norm, "gamma"), get(norm, "beta")
        out[f"{after}.running_mean"] = get(norm, "moving_mean")
        out[f"{after}.running_var"] = get(norm, "moving_variance")
        out[f"{after}.num_batches_tracked"] = torch.tensor(0)
    first, second = layers("dense")
    for ours, theirs in (("hidden", first), ("out", second)):
        out[f"{ours}.weight"] = get(theirs, "kernel").T.contiguous()
        out[f"{ours}.bias"] = get(theirs, "bias")
    return out


def _given(settings: Settings) -> Path:
    """The file that is named and accepted."""
    return accepted_path(
        settings,
        "The detector mesonet needs the path of its published weights.",
        "Get Meso4_DF.h5 of the published repository, then --weights PATH and --accept-unpinned.",
    )
