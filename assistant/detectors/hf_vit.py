"""Any image classifier of the hub whose labels say which side is manipulated.

The class of ``prithivMLmods/Deep-Fake-Detector-v2-Model``: a ViT-B/16 with two labels. What a label
means is said by an option or by its own words, never by its position.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from assistant.compute import torch_device
from assistant.detectors.frozen import to_pixels
from assistant.detectors.plugin import FIELD_CROP, PluginOptions, checked_options
from assistant.detectors.published import accepted_path, unfitted_softmax
from assistant.errors import InferenceError, PluginError, WeightsError
from assistant.types import Image
from assistant.weights.store import file_sha256

if TYPE_CHECKING:
    from assistant.settings import Settings

__all__ = ["HfVitDetector", "sides_of"]

_FAKE = re.compile(
    r"fake|manipulat|generat|synthe|forge|spoof|tamper|swap|artificial|\bai\b|diffusion|\bgan\b"
)
_REAL = re.compile(
    r"\breal|genuine|authentic|pristine|original|natural|human|bona ?fide|\blive\b|untouched"
)

_NOT = re.compile(r"\b(?:not|non|no|un)\b")


class HfOptions(PluginOptions):
    """``fake_label``: the label that means manipulated, where its words do not say so."""

    fake_label: str = ""


def sides_of(labels: Mapping[int, str], fake_label: str = "") -> tuple[list[int], list[int]]:
    """Places of the genuine and of the manipulated labels.

    Raises:
        WeightsError: fewer than two labels, or labels that do not say which side is manipulated.
    """
    if len(labels) < 2:
        raise WeightsError(
            f"The classifier has one label: {', '.join(labels.values()) or 'none'}; two sides are "
            "needed.",
            hint="Use a classifier of real against fake faces.",
            code="labels",
        )
    if fake_label:
        fake = [i for i, label in labels.items() if label.lower() == fake_label.lower()]
        real = [i for i in labels if i not in fake]
    else:
        words = {i: re.sub(r"[_\-]+", " ", label.lower()) for i, label in labels.items()}
        sides = {i: (bool(_REAL.search(w)), bool(_FAKE.search(w))) for i, w in words.items()}
        if any(a == b for a, b in sides.values()) or any(_NOT.search(w) for w in words.values()):
            real, fake = [], []
        else:
            real = [i for i, side in sides.items() if side[0]]
            fake = [i for i, side in sides.items() if side[1]]
    if not real or not fake:
        raise WeightsError(
            f"The labels {', '.join(labels.values())} do not say which side is manipulated"
            + (f", and none is {fake_label!r}." if fake_label else "."),
            hint="""Name it: --set detector_options='{"fake_label": "LABEL"}'.""",
            code="labels",
        )
    return real, fake


class HfVitDetector:
    """A classifier in transformers' layout; a :class:`assistant.interfaces.Detector`."""

    name = "hf-vit"
    citation = (
        "Dosovitskiy et al.: An Image is Worth 16x16 Words, ICLR 2021 (arXiv 2010.11929), tuned on "
        "real and fake faces by many on the hub"
    )
    reported = "accuracy 0.921 on its own pictures (Deep-Fake-Detector-v2)"
    crop_spec = FIELD_CROP
    calibration: Mapping[str, Any] = MappingProxyType(unfitted_softmax())

    def __init__(
        self,
        network: nn.Module,
        sides: tuple[list[int], list[int]],
        *,
        side: int,
        mean: Sequence[float],
        std: Sequence[float],
        weights_sha256: str,
        device: str = "cpu",
    ) -> None:
        self.network = network.eval().requires_grad_(False).to(device)
        self._sides, self._side, self._device = sides, side, device
        self._mean = torch.tensor(mean).view(1, 3, 1, 1).to(device)
        self._std = torch.tensor(std).view(1, 3, 1, 1).to(device)
        self.weights_sha256 = weights_sha256

    @classmethod
    def from_settings(cls, settings: Settings) -> HfVitDetector:
        """With the folder that ``detector_weights`` names.

        Raises:
            WeightsError: none is named, or its hash is not accepted.
        """
        folder = _given(settings)
        options = json.loads(settings.detector_options or "{}")
        return cls.load(folder, options, device=torch_device(settings.device))

    @classmethod
    def ready(cls, settings: Settings) -> bool:
        """False: a classifier of the hub is not calibrated.

        Raises:
            WeightsError: no folder is named, or its hash is not accepted.
        """
        _given(settings)
        return False

    @classmethod
    def load(
        cls, folder: Path, options: Mapping[str, Any] | None = None, *, device: str = "cpu"
    ) -> HfVitDetector:
        """Read ``config.json``, ``model.safetensors`` and ``preprocessor_config.json``, strictly.

        Raises:
            PluginError: transformers is not installed.
            WeightsError: a file is missing or of another architecture, or the labels do not tell.
        """
        chosen = checked_options(cls.name, HfOptions, options or {})
        weights = folder / "model.safetensors"
        try:
            config = json.loads((folder / "config.json").read_text("utf-8"))
            labels = {int(k): str(v) for k, v in config.get("id2label", {}).items()}
            told = folder / "preprocessor_config.json"
            how = json.loads(told.read_text("utf-8")) if told.is_file() else {}
            sha256 = file_sha256(weights)
        except (OSError, ValueError, AttributeError) as error:
            raise WeightsError(
                f"{folder.name} is no folder of an image classifier: {error}.",
                hint="It needs config.json and model.safetensors.",
                code="weights-missing",
            ) from error
        sides = sides_of(labels, chosen.fake_label)
        size = how.get("size", {})
        side = size.get("height", size.get("shortest_edge")) if isinstance(size, dict) else size
        return cls(
            _network(folder),
            sides,
            side=int(side or config.get("image_size", 224)),
            mean=how.get("image_mean", (0.5, 0.5, 0.5)),
            std=how.get("image_std", (0.5, 0.5, 0.5)),
            weights_sha256=sha256,
            device=device,
        )

    def logits(self, crops: Sequence[Image]) -> NDArray[np.float64]:
        """The manipulated labels' logits less the genuine ones'.

        Raises:
            InferenceError: a score is not finite.
        """
        out = np.empty(len(crops), np.float64)
        with torch.inference_mode():
            for start in range(0, len(crops), 8):
                pixels = to_pixels(crops[start : start + 8], crops[0].shape[0]).to(self._device)
                sized = functional.interpolate(
                    pixels, (self._side, self._side), mode="bilinear", antialias=True
                )
                found = self.network((sized - self._mean) / self._std).logits.double()
                real, fake = (found[:, places].logsumexp(1) for places in self._sides)
                out[start : start + len(pixels)] = (fake - real).cpu().numpy()
        if not np.isfinite(out).all():
            raise InferenceError(
                "The classifier gave a face a score that is no number.",
                hint="Fetch its files again.",
                code="score-not-finite",
            )
        return out

    def provenance(self) -> Mapping[str, str]:
        """The file's hash."""
        return {"weights_sha256": self.weights_sha256, "device": self._device}


def _network(folder: Path) -> nn.Module:
    try:
        from transformers import AutoModelForImageClassification
    except ImportError as error:
        raise PluginError(
            "hf-vit needs transformers, which is not installed.",
            hint="Run: pip install 'whyfake[full]' (or: make setup).",
        ) from error
    try:
        network, info = AutoModelForImageClassification.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise WeightsError(
            f"{folder.name} cannot be loaded as an image classifier: {str(error)[:200]}",
            hint="It needs an architecture that transformers knows, in safetensors.",
            code="weights-shape",
        ) from error
    wrong = [str(k) for name in ("missing_keys", "mismatched_keys") for k in info.get(name, ())]
    if wrong:
        raise WeightsError(
            f"{folder.name} lacks {len(wrong)} tensors of its architecture, the first is "
            f"{sorted(wrong)[0]}; nothing is ever filled with random numbers.",
            hint="Fetch model.safetensors again.",
            code="weights-shape",
        )
    made: nn.Module = network
    return made


def _given(settings: Settings) -> Path:
    """The folder that is named and accepted."""
    return accepted_path(
        settings,
        "The detector hf-vit needs the folder of a classifier.",
        "Fetch config.json, preprocessor_config.json and model.safetensors into a folder, then "
        "--weights FOLDER and --accept-unpinned.",
        folder=True,
    )
