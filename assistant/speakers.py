"""The detectors that can speak on this machine: which they are, and each of them when asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import registry
from assistant.errors import AssistantError, PluginError
from assistant.weights import data_dir_or_default

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.settings import Settings

__all__ = ["DetectorState", "Speakers", "detector_states", "settings_for"]

#: How many detectors are held beside the one that the settings name.
_MOST_HELD = 3
_ENDINGS = (".safetensors", ".h5", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorState:
    """Whether a detector can score here.

    Attributes:
        name: in the registry.
        chosen: whether the settings name it.
        calibrated: whether its scores are probabilities; None: told once it is loaded.
        problem: why it cannot run; empty where it can.
        hint: the next step then.
        by_name_only: whether it is never asked for a second opinion unless it is named.
    """

    name: str
    chosen: bool = False
    calibrated: bool | None = None
    problem: str = ""
    hint: str = ""
    by_name_only: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can run."""
        return not self.problem

    @property
    def words(self) -> str:
        """Its state in a few words."""
        if not self.ready:
            return "cannot run here"
        known = {True: "ready, calibrated", False: "ready, not calibrated", None: "ready"}
        return known[self.calibrated]


def settings_for(settings: Settings, name: str) -> Settings:
    """The settings with another detector: its own file where one lies in the data folder.

    That is ``detectors/NAME.safetensors`` (what ``whyfake train plugin`` writes), ``NAME.h5``, or a
    folder ``NAME``. What was set for the detector of the settings is not handed to another.
    """
    if name == settings.detector:
        return settings
    folder = data_dir_or_default(settings.data_dir) / "detectors"
    places: list[Path] = [folder / f"{name}{ending}" for ending in _ENDINGS]
    found = next((path for path in places if path.exists()), None)
    changed = {"detector": name, "detector_weights": found, "detector_options": ""}
    return settings.model_copy(update={**changed, "calibration": None})


def detector_states(settings: Settings) -> tuple[DetectorState, ...]:
    """Every registered detector, by name, with what keeps it from running here.

    A detector tells by its classmethod ``ready(settings)``: whether it was calibrated, or a typed
    error that says what is missing. One without it is taken to be ready. No network is loaded.
    """
    return tuple(
        _state(settings, name) for name in registry.names("detectors", plugins=settings.plugins)
    )


def _state(settings: Settings, name: str) -> DetectorState:
    chosen = name == settings.detector
    try:
        kind = registry.load("detectors", name, plugins=settings.plugins)
        ready = getattr(kind, "ready", None)
        calibrated = None if ready is None else ready(settings_for(settings, name))
    except AssistantError as error:
        return DetectorState(
            name=name, chosen=chosen, problem=error.user_message, hint=error.hint or ""
        )
    if chosen and settings.calibration is not None:
        calibrated = True
    shy = bool(getattr(kind, "by_name_only", False))
    return DetectorState(name=name, chosen=chosen, calibrated=calibrated, by_name_only=shy)


class Speakers:
    """Assistants by detector: each is made when it is first asked for, and a few are held.

    Args:
        settings: name the detector that speaks unless another is asked for.
        make: an assistant of settings; it shares face finder and text backend with the others.
    """

    def __init__(self, settings: Settings, make: Callable[[Settings], Assistant]) -> None:
        self._settings = settings
        self._make = make
        self._held: OrderedDict[str, Assistant] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def usual(self) -> str:
        """The detector of the settings."""
        return self._settings.detector

    def states(self) -> tuple[DetectorState, ...]:
        """See :func:`detector_states`."""
        return detector_states(self._settings)

    def speaker(self, name: str) -> Assistant:
        """The assistant whose detector is ``name``.

        Raises:
            PluginError: there is no such detector.
            AssistantError: it cannot run here; the hint is the next step.
        """
        with self._lock:
            held = self._held.get(name)
            if held is None:
                registry.load("detectors", name, plugins=self._settings.plugins)
                held = self._held[name] = self._make(settings_for(self._settings, name))
            self._held.move_to_end(name)
            others = [other for other in self._held if other != self.usual]
            for other in others[: max(0, len(others) - _MOST_HELD)]:
                del self._held[other]
            return held

    def another(self, beside: set[str]) -> str:
        """The detector to ask where none is named: that of the settings, then a calibrated one.

        Args:
            beside: those that have spoken.

        Raises:
            PluginError: no other detector can run here.
        """
        ready = [s for s in self.states() if s.ready and not s.by_name_only]
        ready = [s for s in ready if s.name not in beside]
        if not ready:
            raise PluginError(
                "No other detector can be asked here.",
                hint="`whyfake detectors` tells what each needs; `whyfake train plugin NAME "
                "--manifest data.csv` trains one.",
                code="no-other-detector",
            )
        return min(ready, key=lambda s: (not s.chosen, s.calibrated is not True, s.name)).name
