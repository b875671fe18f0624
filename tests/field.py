"""Every registered detector at small size: its real architecture, from files made here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant import registry
from assistant.detectors.efficientnet_lite0 import EfficientLite0Detector, LiteOptions
from assistant.detectors.plugin import Files, TrainedDetector
from assistant.detectors.text_tower import TextTowerLayout, VisionLanguageModel, Vocabulary
from assistant.detectors.tower import tower_sha256
from tests.tiny_models import WIDTH, write_tiny_tower

CAPTIONS = [
    "a real photo of a person",
    "a fake photo of a person",
    "a normal face",
    "an anomalous face",
]


def tiny_files(folder: Path, *, seed: int = 0) -> Files:
    """A tower of three blocks and a text tower trained on nothing, but of one base."""
    from safetensors.torch import load_file

    base = write_tiny_tower(folder / "tower.safetensors", seed=seed)
    torch.manual_seed(seed)
    layout = TextTowerLayout(
        width=32, heads=2, layers=1, joint=16, blocks=(0, 2), picture_width=WIDTH
    )
    model = VisionLanguageModel(layout, Vocabulary.of(CAPTIONS * 2))
    text = folder / "text.safetensors"
    model.save(text, base_sha256=tower_sha256(load_file(base)), card={})
    lite = folder / "lite0.pth"
    if not lite.is_file():
        backbone = EfficientLite0Detector.backbone(LiteOptions())[0]
        torch.save({f"w{i}": t for i, t in enumerate(backbone.state_dict().values())}, lite)
    places = {"dinov2-vits14": base, "text-tower-vits14": text, "efficientnet-lite0": lite}

    def member(name: str) -> TrainedDetector:
        torch.manual_seed(seed)
        kind: type[TrainedDetector] = registry.load("detectors", name)
        return kind.create({}, files)

    files = Files(locate=lambda name: places[name], member=member)
    return files


#: Options that make a plugin small, by name; none for those that are small on a tiny tower.
SMALL: Mapping[str, Mapping[str, Any]] = {
    "ensemble": {"members": ["clip-probe", "clip-adapter"], "mode": "stacked"},
}


def trained(name: str, folder: Path) -> TrainedDetector:
    """A plugin as it starts, saved and loaded again."""
    torch.manual_seed(0)
    kind: type[TrainedDetector] = registry.load("detectors", name)
    files = tiny_files(folder)
    made = kind.create(SMALL.get(name, {}), files)
    path = folder / f"{name}.safetensors"
    made.save(path, calibration=None, card={})
    return kind.load(path, files)


def makers() -> dict[str, Callable[[Path], Any]]:
    """How each registered detector is made at small size."""
    from functools import partial

    out: dict[str, Callable[[Path], Any]] = {}
    for name in registry.names("detectors"):
        if name in OTHERS:
            out[name] = OTHERS[name]
        else:
            out[name] = partial(trained, name)
    return out


def _clip_ln(folder: Path) -> Any:
    from tests.unit.detectors.test_clip_ln import TINY, saved

    return registry.load("detectors", "clip-ln").load(*saved(folder, TINY, "two-heads"))


def _gend(folder: Path) -> Any:
    from tests.integration.test_parity_gend import saved, small_tower

    path = saved("PE-L", folder)
    return registry.load("detectors", "gend").load(path, accept_unpinned=True, build=small_tower)


def _mesonet(folder: Path) -> Any:
    from tests.unit.detectors.test_mesonet import write

    write(folder / "meso.h5")
    return registry.load("detectors", "mesonet").load(folder / "meso.h5")


def hub_classifier(folder: Path, labels: Mapping[int, str] | None = None, *, seed: int = 0) -> Path:
    """A real ViT of two layers, saved as the hub has it."""
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(seed)
    named = dict(labels or {0: "Deepfake", 1: "Realism"})
    config = ViTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=64,
        id2label=named,
        label2id={label: i for i, label in named.items()},
    )
    target = folder / "classifier"
    ViTForImageClassification(config).save_pretrained(target)
    return target


def _hf_vit(folder: Path) -> Any:
    return registry.load("detectors", "hf-vit").load(hub_classifier(folder))


def _vlm(folder: Path) -> Any:
    from assistant.vlm.scripted import ScriptedBackend

    return registry.load("detectors", "vlm-zero-shot")(ScriptedBackend(["It is a deepfake."]))


OTHERS: Mapping[str, Callable[[Path], Any]] = {
    "clip-ln": _clip_ln,
    "gend": _gend,
    "hf-vit": _hf_vit,
    "mesonet": _mesonet,
    "vlm-zero-shot": _vlm,
}


def crops(count: int = 5, *, side: int = 224, seed: int = 0) -> list[np.ndarray]:
    """Smooth coloured noise: unlike each other, and no face of anybody."""
    import cv2

    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (count, 12, 12, 3)).astype(np.uint8)
    return [cv2.resize(s, (side, side), interpolation=cv2.INTER_CUBIC) for s in small]
