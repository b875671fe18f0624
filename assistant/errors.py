"""The error tree. Each error says what failed, what is allowed and what to do next."""

from __future__ import annotations

import threading

__all__ = [
    "AssistantError",
    "Cancelled",
    "CaseError",
    "ConfigError",
    "GenerationTimeout",
    "InferenceError",
    "MediaError",
    "OutOfMemory",
    "PluginError",
    "PromptError",
    "TrainingError",
    "WeightsError",
    "stop_if",
]


class AssistantError(Exception):
    """Base of all errors a user can meet.

    Attributes:
        user_message: what failed and what is allowed; safe to show.
        hint: what to do next; may be empty.
        code: a stable kebab-case name for programs (``not-an-image``).
    """

    default_code = "error"

    def __init__(self, user_message: str, *, hint: str = "", code: str | None = None) -> None:
        self.user_message = user_message
        self.hint = hint
        self.code = code or self.default_code
        super().__init__(f"{user_message} {hint}".strip())


class ConfigError(AssistantError):
    """A setting is wrong."""

    default_code = "config"


class PluginError(AssistantError):
    """A plugin is unknown, broken, or breaks its contract."""

    default_code = "plugin"


class PromptError(AssistantError):
    """A prompt file is missing, malformed, or was changed after its release."""

    default_code = "prompt"


class WeightsError(AssistantError):
    """Model files are missing, changed, or of another shape. Never replaced by random weights."""

    default_code = "weights"


class MediaError(AssistantError):
    """What was given cannot be read as a picture or a video within the limits."""

    default_code = "media"


class TrainingError(AssistantError):
    """Training or evaluation cannot start or go on: bad manifest, NaN loss, foreign checkpoint."""

    default_code = "training"


class CaseError(AssistantError):
    """A case is not there, or what is asked of it is not allowed in its state."""

    default_code = "case"


class InferenceError(AssistantError):
    """A model failed while it ran."""

    default_code = "inference"


class GenerationTimeout(InferenceError):
    """A text model gave no first or no further word in time."""

    default_code = "generation-timeout"


class Cancelled(InferenceError):
    """The user stopped it."""

    default_code = "cancelled"


class OutOfMemory(InferenceError):
    """There is too little memory for this model."""

    default_code = "out-of-memory"


def stop_if(cancel: threading.Event | None) -> None:
    """Go on unless a stop was asked for.

    Raises:
        Cancelled: ``cancel`` is set.
    """
    if cancel is not None and cancel.is_set():
        raise Cancelled("The analysis was stopped.", hint="Give the file again to go on.")
