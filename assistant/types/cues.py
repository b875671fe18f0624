"""Visible cues: what was measured between two places of a picture, and how often that is so."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from assistant.types.measured import Image

__all__ = [
    "ANY_KIND",
    "BaseRate",
    "CueFinding",
    "CuePlace",
    "CueReading",
    "CuesLooked",
    "NotJudged",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CuePlace:
    """One of the two places that a cue compares; ``box_xyxy`` in pixels of the frame."""

    name: str
    box_xyxy: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CueReading:
    """What a cue measured.

    Attributes:
        cue: its registry name.
        quantity: what was compared, such as ``fine detail``.
        value: in ``unit``; always finite.
        unit: ``times`` (the first place over the second), or that of a difference.
        places: what was compared, the place that is told of first.
    """

    cue: str
    quantity: str
    value: float
    unit: str
    places: tuple[CuePlace, CuePlace]

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"{self.cue}: a reading must be finite, got {self.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotJudged:
    """Why a cue says nothing of a face: ``reason`` follows "not judged, because"."""

    cue: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRate:
    """How many of the reference faces show as much or more: ``share`` in [0, 1] of ``faces``.

    ``low`` and ``high`` bound the share (Wilson, 95 %).
    """

    share: float
    low: float
    high: float
    faces: int

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.share <= self.high <= 1.0 or self.faces < 1:
            raise ValueError(f"expected 0 <= low <= share <= high <= 1 of 1 face or more: {self}")


ANY_KIND = "manipulated faces"


@dataclass(frozen=True, slots=True, kw_only=True)
class CueFinding:
    """A reading beside reference faces of the same size and compression.

    Attributes:
        genuine: how many genuine faces show as much or more.
        manipulated: how many manipulated ones do.
        beyond: whether fewer genuine faces show it than the cue's own limit allows.
        visible: False where it is a matter of statistics that no eye sees.
        kind: which manipulated faces ``manipulated`` is of.
        pictures: both places, enlarged alike; empty where they were not asked for.
    """

    reading: CueReading
    genuine: BaseRate
    manipulated: BaseRate
    beyond: bool
    visible: bool = True
    kind: str = ANY_KIND
    pictures: tuple[Image, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CuesLooked:
    """All that the cues say of one face, those beyond their limits first, the rarest leading."""

    findings: tuple[CueFinding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()

    @property
    def spoken(self) -> tuple[CueFinding, ...]:
        """The findings that speak: those beyond their limits."""
        return tuple(f for f in self.findings if f.beyond)
