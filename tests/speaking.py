"""A demo assistant beside which a second detector can speak, of the other opinion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from assistant.calibration import CurveCalibrator
from assistant.detectors.plugin_file import FORMAT
from assistant.fakes import BrightnessDetector, FlatCalibrator, demo_assistant
from assistant.pipeline import Assistant
from assistant.scoring import Scorer
from assistant.settings import Settings
from assistant.speakers import Speakers


def plugin_file(folder: Path, name: str, *, plugin: str = "", calibrated: bool = False) -> Path:
    """A file with a header alone: enough to tell whether a detector is ready."""
    header = {
        "format": FORMAT,
        "plugin": plugin or name,
        "options": {"members": ["xception", "sbi"]} if name == "ensemble" else {},
        "base_sha256": "",
        "calibration": {"method": "isotonic"} if calibrated else None,
        "card": {},
    }
    path = folder / "detectors" / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"x": torch.zeros(1)}, path, metadata={"whyfake": json.dumps(header)})
    return path


class _Darkness(BrightnessDetector):
    """The opposite of the demo detector."""

    def __init__(self, name: str) -> None:
        self.name = name

    def logits(self, crops):  # type: ignore[no-untyped-def]
        return -BrightnessDetector.logits(self, crops)


def speaking(tmp_path: Path, *, fitted: bool = True, **options: Any) -> Assistant:
    """A demo assistant that can ask a second detector, xception, of the other opinion."""
    plugin_file(tmp_path, "xception", calibrated=fitted)

    def make(settings: Settings) -> Assistant:
        made = demo_assistant(speakers=speakers, **options)
        if settings.detector == "clip-ln":
            return made
        curve = FlatCalibrator() if fitted else CurveCalibrator.unfitted()
        return Assistant(
            finder=made.finder,
            scorer=Scorer(detector=_Darkness(settings.detector), calibrator=curve),
            attributor=made._measurer.attributor,
            narrator=made.narrator,
            speakers=speakers,
        )

    speakers = Speakers(Settings(data_dir=tmp_path, vlm_backend="template"), make)
    return speakers.speaker("clip-ln")
