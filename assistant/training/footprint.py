"""How much memory a detector takes: loaded, and asked for one face, in a process of its own."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil

from assistant import registry
from assistant.compute import use_threads
from assistant.detectors.plugin import Files, TrainedDetector
from assistant.interfaces import Detector
from assistant.settings import Settings
from assistant.types import Image

__all__ = ["memory_of", "open_detector"]

_STATUS = Path("/proc/self/status")


def open_detector(
    settings: Settings, name: str, trained: dict[str, Path], files: Files | None = None
) -> Detector:
    """A detector by name, from its file in ``trained`` or as the settings say.

    Raises:
        WeightsError: its file is missing or holds another network.
    """
    kind = registry.load("detectors", name, plugins=settings.plugins)
    path = trained.get(name)
    if path is not None and isinstance(kind, type) and issubclass(kind, TrainedDetector):
        found = replace(
            files or Files.of(settings),
            member=lambda member: open_detector(settings, member, trained, files),
        )
        return kind.load(path, found)
    own = {"detector": name, "detector_weights": path, "detector_options": ""}
    made: Detector = kind.from_settings(settings.model_copy(update=own))
    return made


def memory_of(settings: Settings, name: str, trained: dict[str, Path], crop: Image) -> int:
    """The most bytes that a new process takes which loads the detector and scores one crop.

    All of it counts, the interpreter and the libraries too: that is what a machine must have.

    Raises:
        AssistantError: the detector cannot be loaded, or gave no score.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(_peak, settings, name, trained, crop).result()


def _peak(settings: Settings, name: str, trained: dict[str, Path], crop: Image) -> int:
    use_threads(settings.threads)
    open_detector(settings, name, trained).logits([crop])
    if _STATUS.is_file():  # Linux keeps the highest; elsewhere what is held now must do
        line = next(v for v in _STATUS.read_text().splitlines() if v.startswith("VmHWM:"))
        return 1024 * int(line.split()[1])
    return int(psutil.Process().memory_info().rss)
