"""What genuine and manipulated faces show: ``weights/cues.json``, by size and picture quality."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import WeightsError
from assistant.numbers import wilson
from assistant.types import BaseRate

__all__ = ["NEVER", "SCHEMA", "CueReference", "Known", "load_reference"]

SCHEMA = "whyfake.cues/2"
#: The limit of a cue that is measured and never speaks.
NEVER = -1.0
#: Faces that a reading is compared with: those nearest in size and picture quality.
_NEAREST = 250
#: What counts as one step away: a quarter more eye distance (as a logarithm), half of fineness.
_SIZE_STEP, _FINENESS_STEP = 0.25, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Faces of one class: N eye distances (pixels), N finenesses, N values a cue (NaN: none).

    ``kinds``: of manipulation, N names; empty where there is one kind only.
    """

    eyes: NDArray[np.float64]
    fineness: NDArray[np.float64]
    values: Mapping[str, NDArray[np.float64]]
    kinds: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))

    def by_likeness(self, eyes: float, fineness: float) -> NDArray[np.intp]:
        """The faces, those of the most similar size and picture quality first."""
        away = (np.log(self.eyes / eyes) / _SIZE_STEP) ** 2
        away += ((self.fineness - fineness) / _FINENESS_STEP) ** 2
        return np.argsort(away, kind="stable")

    def rate(
        self, cue: str, sign: int, value: float, eyes: float, fineness: float, *, kind: str = ""
    ) -> BaseRate:
        """How many of the most similar faces show ``value`` or more (``sign`` -1: or less).

        ``kind``: compare with faces of this kind alone; empty: with all.
        """
        return self.rate_in(cue, sign, value, self.by_likeness(eyes, fineness), kind=kind)

    def rate_in(
        self, cue: str, sign: int, value: float, order: NDArray[np.intp], *, kind: str = ""
    ) -> BaseRate:
        """As :meth:`rate`, with the order of :meth:`by_likeness`, which all cues share."""
        known = self.values[cue][order]
        there = np.isfinite(known)
        if kind:
            there &= self.kinds[order] == kind
        near = known[there][:_NEAREST]
        hits = int((sign * near >= sign * value).sum())
        low, high = wilson(hits, len(near))
        return BaseRate(share=hits / len(near), low=low, high=high, faces=len(near))


@dataclass(frozen=True, slots=True, kw_only=True)
class CueReference:
    """Genuine and manipulated faces, and for each cue that may speak the limit of its rate.

    Attributes:
        limits: cue -> the share of genuine faces up to which its reading counts as unusual
            (:data:`NEVER`: it is measured, and never speaks).
        sources: source -> genuine and manipulated faces taken from it.
        tells_of: cue -> the kind of manipulation that shows it most; its rate is given.
    """

    genuine: Known
    manipulated: Known
    limits: Mapping[str, float]
    sources: Mapping[str, tuple[int, int]]
    tells_of: Mapping[str, str] = field(default_factory=dict)


def load_reference(path: Path) -> CueReference:
    """Read ``cues.json``.

    Raises:
        WeightsError: it cannot be read, or is of another form.
    """
    try:
        return _checked(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise WeightsError(
            f"The reference of visible cues, {path.name}, cannot be used: "
            f"{type(error).__name__}: {error}.",
            hint="Make it again: whyfake train cues configs/cues.yaml",
            code="cues",
        ) from error


def _checked(data: Mapping[str, Any]) -> CueReference:
    if data["schema"] != SCHEMA:
        raise ValueError(f"its schema is {data['schema']!r}, not {SCHEMA!r}")
    reference = CueReference(
        genuine=_known(data["genuine"]),
        manipulated=_known(data["manipulated"]),
        limits={str(k): float(v) for k, v in data["limits"].items()},
        sources={str(k): (int(v[0]), int(v[1])) for k, v in data["sources"].items()},
        tells_of={str(k): str(v) for k, v in data["tells_of"].items()},
    )
    for cue in reference.limits:
        kind = reference.tells_of.get(cue, "")
        of_kind = reference.manipulated.kinds == kind if kind else slice(None)
        columns = reference.genuine.values[cue], reference.manipulated.values[cue][of_kind]
        if not all(np.isfinite(column).any() for column in columns):
            raise ValueError(f"no face for {cue}")
    return reference


def _known(data: Mapping[str, Any]) -> Known:
    eyes, fineness = _numbers(data["eyes"]), _numbers(data["fineness"])
    named = {str(cue): _numbers(column) for cue, column in data["values"].items()}
    if any(len(v) != len(eyes) for v in (fineness, *named.values())):
        raise ValueError("columns of unlike length")
    kinds = np.array(data.get("kinds", []), np.str_)
    if len(kinds) not in {0, len(eyes)}:
        raise ValueError("columns of unlike length")
    return Known(eyes=eyes, fineness=fineness, values=named, kinds=kinds)


def _numbers(column: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in column], np.float64)
