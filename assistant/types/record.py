"""How a detector did on sources that were left out of its training: its track record."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Missed", "Told", "TrackRecord"]


def _shares(**values: float) -> None:
    for name, value in values.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name}: expected a share in [0, 1], got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """What became of the manipulated pictures of one family, each from a source left out.

    Attributes:
        family: as people call it, in the plural (``face swaps``).
        missed: share in [0, 1] that was called *no sign found*; sources weigh alike.
        low: of the 95 % interval of ``missed``, over sources and pictures.
        high: likewise.
        pictures: how many were judged.
        sources: from how many sources.
        caught: share that was called *likely manipulated*; None where it was not kept.
    """

    family: str
    missed: float
    low: float
    high: float
    pictures: int
    sources: int
    caught: float | None = None

    def __post_init__(self) -> None:
        _shares(missed=self.missed, low=self.low, high=self.high, caught=self.caught or 0.0)
        if not self.family or self.pictures < 1 or self.sources < 1:
            raise ValueError(f"expected a family with pictures and sources, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How often the detector is right when it names a kind (``laid-in``, ``made``).

    Attributes:
        kind: the kind it names.
        right: share in [0, 1] of the pictures for which it names this kind that are of it, where
            both kinds are equally frequent.
        low: of the 95 % interval of ``right``.
        high: likewise.
        pictures: for how many it was named.
    """

    kind: str
    right: float
    low: float
    high: float
    pictures: int

    def __post_init__(self) -> None:
        _shares(right=self.right, low=self.low, high=self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """What is known of a detector from sources left out; empty where nothing was kept.

    Attributes:
        unseen: whether its probability was calibrated on sources left out.
        misses: by family, those missed most first.
        told: for each kind that it names.
    """

    unseen: bool = False
    misses: tuple[Missed, ...] = ()
    told: tuple[Told, ...] = ()
