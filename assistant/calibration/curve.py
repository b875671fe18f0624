"""The calibrator: a non-decreasing curve from logit to probability, with a band around it.

Whatever it was fitted with (temperature, Platt, isotonic, Venn-ABERS), a fitted calibrator is kept
as a table of logits with probability, lower and upper bound, and read by linear interpolation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.calibration.record import read_record
from assistant.errors import InferenceError, WeightsError
from assistant.types import NOT_FITTED, Calibrated, TrackRecord, Verdict

__all__ = ["CurveCalibrator", "load_calibrator"]


class CurveCalibrator:
    """Reads probability and interval off a table; a :class:`assistant.interfaces.Calibrator`.

    Args:
        method: how the curve was fitted.
        logits: increasing, at least two.
        probability: non-decreasing, in [0, 1], one a logit; ``low`` and ``high`` likewise, with
            low <= probability <= high.
        thresholds: up to the first probability a face is ``no sign found``, from the second on
            ``likely manipulated``.
        fitted_on: what the curve was fitted on, for reports; ``record`` is what it says of sources
            left out of training.

    Raises:
        ValueError: the tables break these rules.
    """

    def __init__(
        self,
        *,
        method: str,
        logits: Sequence[float] | NDArray[np.float64],
        probability: Sequence[float] | NDArray[np.float64],
        low: Sequence[float] | NDArray[np.float64],
        high: Sequence[float] | NDArray[np.float64],
        thresholds: tuple[float, float],
        fitted_on: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = f"curve-{method}"
        self.method = method
        self.thresholds: tuple[float, float] = (float(thresholds[0]), float(thresholds[1]))
        self.fitted_on = dict(fitted_on or {})
        self._logits = np.asarray(logits, np.float64)
        self._probability = np.asarray(probability, np.float64)
        self._low = np.asarray(low, np.float64)
        self._high = np.asarray(high, np.float64)
        self._check()
        self.record: TrackRecord = read_record(self.fitted_on)

    @property
    def fitted(self) -> bool:
        """Whether it was fitted to faces; what a curve that was not gives is no probability."""
        return self.method not in NOT_FITTED

    @classmethod
    def unfitted(cls) -> CurveCalibrator:
        """For a detector that was never calibrated: the logistic curve, and no verdict."""
        logits = np.linspace(-8.0, 8.0, 65)
        shape = 1.0 / (1.0 + np.exp(-logits))
        return cls(
            method="none",
            logits=logits,
            probability=shape,
            low=np.zeros_like(shape),
            high=np.ones_like(shape),
            thresholds=(0.0, 1.0),
        )

    def calibrate(self, logit: float) -> Calibrated:
        """Probability, interval and verdict of a logit.

        Raises:
            InferenceError: the logit is not finite.
        """
        if not math.isfinite(logit):
            raise InferenceError(
                f"A score of {logit} cannot be calibrated.",
                hint="Run `whyfake weights verify`.",
                code="score-not-finite",
            )
        probability = float(np.interp(logit, self._logits, self._probability))
        low = min(float(np.interp(logit, self._logits, self._low)), probability)
        high = max(float(np.interp(logit, self._logits, self._high)), probability)
        return Calibrated(
            probability=probability, interval=(low, high), verdict=self.verdict(probability)
        )

    def probabilities(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probabilities of many logits."""
        return np.asarray(np.interp(logits, self._logits, self._probability), dtype=np.float64)

    def verdict(self, probability: float) -> Verdict:
        """The band a probability lies in."""
        if probability <= self.thresholds[0]:
            return Verdict.NO_SIGN
        if probability >= self.thresholds[1]:
            return Verdict.LIKELY_MANIPULATED
        return Verdict.UNCERTAIN

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain values: probabilities to 6 places, logits to 6 of their spread."""

        def plain(values: NDArray[np.float64], places: int = 6) -> list[float]:
            return [round(float(v), places) for v in values]

        spread = float(self._logits[-1] - self._logits[0])
        return {
            "method": self.method,
            "logits": plain(self._logits, 6 + max(0, -int(np.floor(np.log10(spread))))),
            "probability": plain(self._probability),
            "low": plain(self._low),
            "high": plain(self._high),
            "thresholds": list(self.thresholds),
            "fitted_on": self.fitted_on,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CurveCalibrator:
        """The reverse of :meth:`to_json`.

        Raises:
            WeightsError: a field is missing or breaks the rules of this class.
        """
        try:
            first, second = values["thresholds"]
            return cls(
                method=values["method"],
                logits=values["logits"],
                probability=values["probability"],
                low=values["low"],
                high=values["high"],
                thresholds=(first, second),
                fitted_on=values.get("fitted_on"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"The calibration cannot be read: {type(error).__name__}: {error}.",
                hint="Run `whyfake weights verify`, or fit one with `whyfake calibrate`.",
                code="weights-calibration",
            ) from error

    def _check(self) -> None:
        tables = (self._probability, self._low, self._high)
        count = len(self._logits)
        if count < 2 or any(table.shape != (count,) for table in tables):
            raise ValueError(f"expected tables of one length >= 2, got {count}")
        if not all(np.isfinite(t).all() for t in (self._logits, *tables)):
            raise ValueError("the tables must be finite")
        if (np.diff(self._logits) <= 0).any():
            raise ValueError("the logits must increase")
        if any((np.diff(t) < 0).any() or t.min() < 0 or t.max() > 1 for t in tables):
            raise ValueError("probabilities must be non-decreasing and within [0, 1]")
        if (self._low > self._probability).any() or (self._high < self._probability).any():
            raise ValueError("the interval must hold the probability")
        first, second = self.thresholds
        if not 0.0 <= first <= second <= 1.0:
            raise ValueError(
                f"expected 0 <= first <= second <= 1, got thresholds {self.thresholds}"
            )


def load_calibrator(delta: Path) -> CurveCalibrator:
    """The calibrator a detector's delta carries, or one saved as JSON by ``whyfake calibrate``.

    Raises:
        WeightsError: the file is missing, damaged, or carries no calibration.
    """
    try:
        if delta.suffix == ".json":
            return CurveCalibrator.from_json(json.loads(delta.read_text("utf-8")))
        header = json.loads(_metadata(delta)["whyfake"])
        values = header["calibration"]
    except FileNotFoundError as error:
        raise WeightsError(
            f"No calibration lies at {delta}.",
            hint="Run `whyfake weights verify`.",
            code="weights-missing",
        ) from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{delta} carries no calibration: {type(error).__name__}: {error}.",
            hint="Run `whyfake weights verify`, or fit one with `whyfake calibrate`.",
            code="weights-calibration",
        ) from error
    return CurveCalibrator.from_json(values)


def _metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, read without torch (its header is JSON)."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= min(path.stat().st_size, 100_000_000):
            raise ValueError("no safetensors header")
        header = json.loads(file.read(size))
    found: dict[str, str] = header["__metadata__"]
    return found
