"""What the pipeline tells while it works. Every interface only renders these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assistant.errors import AssistantError
from assistant.types import (
    Analysis,
    Description,
    Explanation,
    Face,
    FaceAnalysis,
    Media,
    Scores,
    Turn,
)

__all__ = [
    "Analyzed",
    "Described",
    "Done",
    "Event",
    "Explained",
    "FaceFound",
    "Failed",
    "MediaReady",
    "NoFace",
    "NoFaceReason",
    "Progress",
    "Scored",
    "Token",
    "TurnDone",
    "progress_text",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaReady:
    """The file is decoded."""

    media: Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Something long goes on: ``done`` of ``total`` steps; ``seconds_left`` where it is known."""

    stage: str
    done: int
    total: int
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFound:
    """A face is found and aligned, not scored yet."""

    face: Face


class NoFaceReason(StrEnum):
    """Why no face was judged; the value is the code of the JSON."""

    NONE = "no-face"
    TOO_SMALL = "face-too-small"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFace:
    """No face: there is no score. ``message`` and ``hint`` say what to do.

    ``media.warnings`` holds what was told of the file and of the search.
    """

    media: Media
    message: str
    hint: str
    reason: NoFaceReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzed:
    """A face has its score, map, regions and evidence."""

    result: FaceAnalysis


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """All faces have their scores, and nothing more is measured."""

    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A piece of text as the model writes it, not checked yet."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the model saw in the face's crop before it was told the score."""

    description: Description


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The checked explanation of the face that stands first."""

    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDone:
    """A follow-up question has its checked answer."""

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The analysis is complete."""

    analysis: Analysis


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It ended in a typed error; nothing was scored beyond what was already told."""

    error: AssistantError


Event = (
    MediaReady
    | Progress
    | FaceFound
    | NoFace
    | Analyzed
    | Scored
    | Token
    | Described
    | Explained
    | TurnDone
    | Done
    | Failed
)


def progress_text(progress: Progress) -> str:
    """How far it is: ``3 of 24, about 12 seconds left``."""
    text = f"{min(progress.done + 1, progress.total)} of {progress.total}"
    if progress.seconds_left is None:
        return text
    left = max(1, round(progress.seconds_left))
    return f"{text}, about {left} second{'s' if left > 1 else ''} left"
