"""The domain check: is a face like those the detector was trained and calibrated on?

A probability that was calibrated on one kind of picture says little about another. The check is a
Gaussian for each group (source) of training faces with one shared, shrunk covariance over the
detector's own feature (Lee et al. 2018, arXiv 1807.03888; Ledoit and Wolf 2004), measured within
the leading directions and, apart, beside them (Wang et al. 2022, arXiv 2203.10807: what lies beside
them tells most), together with limits for face size, sharpness and JPEG blocks.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.calibration.odds import moved
from assistant.errors import InferenceError, TrainingError, WeightsError
from assistant.types import Calibrated, DomainFinding, DomainStatus, Reading, Verdict

__all__ = ["MEASURES", "DomainModel", "Range", "load_domain", "reading_feature"]

Array = NDArray[np.float64]
FORMAT = "whyfake.domain/1"
#: What is measured on a face in its picture -> (True where a larger value is worse, what to say).
MEASURES: dict[str, tuple[bool, str]] = {
    "face_side": (False, "the face is smaller than those it knows"),
    "sharpness": (False, "the face is more blurred than those it knows"),
    "blockiness": (True, "the picture is more strongly compressed than those it knows"),
}
_UNFAMILIAR = "the picture itself looks unlike those it knows"
_LEAST = 200
# Of faces like the training data, about 1 in 50 is at the edge, and fewer than 1 in 200 outside.
_EDGE_SHARE, _OUTER_SHARE, _OUTER_MARGIN = 0.02, 0.005, 1.15
_RANGE_SHARE, _RANGE_MARGIN = 0.005, 2.0
#: Log-odds by which both ends of the interval move apart where a face is at the very edge.
_DRIFT = 1.0


def reading_feature(reading: Reading) -> Array:
    """The compact feature of a crop: class token and mean patch of the last block that was run.

    Returns:
        2 x width values.

    Raises:
        InferenceError: the detector shows no inside.
    """
    if reading.statistics is None:
        raise InferenceError(
            "The domain check needs what the detector's blocks give, and this one shows none.",
            hint="Use a detector with a method `read`, such as clip-ln.",
            code="domain-feature",
        )
    return np.asarray(reading.statistics[-1, :2], np.float64).ravel()


@dataclass(frozen=True, slots=True)
class Range:
    """Limits of one measure: beyond ``edge`` unusual, beyond ``outer`` outside the domain."""

    edge: float
    outer: float


class DomainModel:
    """A fitted domain; an :class:`assistant.interfaces.DomainCheck`.

    Args:
        mean: D, subtracted from a feature.
        spread: D, then divided by; positive.
        axes: D x K leading directions, orthonormal.
        centres: G x K, a group's mean along the axes.
        precision: K x K inverse covariance within the groups.
        residual: mean squared length beside the axes; positive.
        limits: of the distance along and beside the axes at the edge; both positive.
        outer: how much larger than 1 a relative distance may be before a face is outside.
        ranges: of the measures.
        weights_sha256: of the detector whose feature this is.
        fitted_on: for reports.

    Raises:
        ValueError: shapes do not agree, or a value is not finite.
    """

    def __init__(
        self,
        *,
        mean: Array,
        spread: Array,
        axes: Array,
        centres: Array,
        precision: Array,
        residual: float,
        limits: tuple[float, float],
        outer: float,
        ranges: Mapping[str, Range],
        weights_sha256: str,
        fitted_on: Mapping[str, Any] | None = None,
    ) -> None:
        self._mean, self._spread, self._axes = mean, spread, axes
        self._centres, self._precision, self._residual = centres, precision, residual
        self._limits = limits
        self.outer = outer
        self.ranges = dict(ranges)
        self.weights_sha256 = weights_sha256
        self.fitted_on = dict(fitted_on or {})
        width, count = axes.shape
        shapes = (mean.shape, spread.shape, centres.shape[1:], precision.shape)
        if shapes != ((width,), (width,), (count,), (count, count)):
            raise ValueError(f"shapes do not agree: {shapes}, axes {axes.shape}")
        if not all(np.isfinite(a).all() for a in (mean, spread, axes, centres, precision)):
            raise ValueError("a value is not finite")
        if min(float(spread.min()), residual, *limits) <= 0 or outer < 1:
            raise ValueError("spread, residual and limits must be positive, outer at least 1")

    @classmethod
    def fit(
        cls,
        features: NDArray[np.floating],
        groups: Sequence[str],
        *,
        held_out: NDArray[np.floating],
        measures: Mapping[str, NDArray[np.floating]],
        weights_sha256: str,
        directions: int = 48,
        fitted_on: Mapping[str, Any] | None = None,
    ) -> DomainModel:
        """Fit on features of training faces; limits from faces that were held out.

        Args:
            features: N x D.
            groups: N names (sources).
            held_out: M x D features of faces of other videos.
            measures: each of :data:`MEASURES`, any number of values.
            weights_sha256: of the detector.
            directions: K; fewer where there are too few faces.
            fitted_on: kept with the model.

        Raises:
            TrainingError: too few faces, or a feature that is not finite.
        """
        from sklearn.covariance import LedoitWolf

        values, other = np.asarray(features, np.float64), np.asarray(held_out, np.float64)
        if min(len(values), len(other)) < _LEAST:
            raise TrainingError(
                f"The domain check needs {_LEAST} faces to fit and {_LEAST} to set its limits, got "
                f"{len(values)} and {len(other)}.",
                hint="Give a manifest with more pictures in which a face can be found.",
                code="too-few-for-domain",
            )
        if not (np.isfinite(values).all() and np.isfinite(other).all()):
            raise TrainingError(
                "A feature for the domain check is not finite.",
                hint="Run `whyfake weights verify`.",
            )
        mean, spread = values.mean(0), values.std(0) + 1e-6
        standard = (values - mean) / spread
        count = min(directions, values.shape[1] - 1, len(values) // 4)
        _, _, rows = np.linalg.svd(standard, full_matrices=False)
        axes = rows[:count].T
        along = standard @ axes
        names = np.asarray(groups)
        known = sorted(set(groups))
        centres = np.stack([along[names == name].mean(0) for name in known])
        within = along - centres[np.searchsorted(known, names)]
        precision = np.asarray(LedoitWolf(assume_centered=True).fit(within).precision_)
        beside = np.maximum((standard**2).sum(1) - (along**2).sum(1), 0.0)
        model = cls(
            mean=mean,
            spread=spread,
            axes=axes,
            centres=centres,
            precision=precision,
            residual=float(beside.mean()) + 1e-12,
            limits=(1.0, 1.0),
            outer=1.0,
            ranges={},
            weights_sha256=weights_sha256,
            fitted_on={"faces": len(values), "held_out": len(other), "groups": known}
            | dict(fitted_on or {}),
        )
        parts = model._parts(other)
        first, second = np.quantile(parts, 1 - _EDGE_SHARE / 2, axis=0)
        model._limits = (float(first), float(second))
        relative = model.distances(other)
        outer = _OUTER_MARGIN * float(np.quantile(relative, 1 - _OUTER_SHARE))
        model.outer = max(outer, _OUTER_MARGIN)
        model.ranges = {
            name: _range(np.asarray(found, np.float64), MEASURES[name][0])
            for name, found in measures.items()
        }
        return model

    def distances(self, features: NDArray[np.floating]) -> Array:
        """Relative distances of N x D features: up to 1 inside, above ``outer`` outside."""
        parts = self._parts(np.asarray(features, np.float64))
        relative: Array = (parts / np.array(self._limits)).max(1)
        return relative

    def judge_feature(self, feature: Array, measures: Mapping[str, float]) -> DomainFinding:
        """As :meth:`judge`, of a feature.

        Raises:
            InferenceError: a feature of another width, or one that is not finite.
        """
        if feature.shape != self._mean.shape or not np.isfinite(feature).all():
            raise InferenceError(
                f"The domain check was fitted on {len(self._mean)} values a face, got "
                f"{feature.shape} (or a value that is not finite).",
                hint="Fit it again for this detector: `whyfake train domain`.",
                code="domain-feature",
            )
        distance = float(self.distances(feature[None])[0])
        level = 0 if distance <= 1.0 else 1 if distance <= self.outer else 2
        reasons = [_UNFAMILIAR] if level else []
        for name, limits in self.ranges.items():
            if name not in measures:
                continue
            larger_is_worse, words = MEASURES[name]
            sign = 1.0 if larger_is_worse else -1.0
            value = sign * measures[name]
            worse = 0 if value <= sign * limits.edge else 1 if value <= sign * limits.outer else 2
            level = max(level, worse)
            if worse:
                reasons.append(words)
        status: DomainStatus = ("inside", "edge", "outside")[level]
        return DomainFinding(
            status=status,
            distance=distance,
            limit=1.0,
            outer_limit=self.outer,
            reasons=tuple(reasons),
        )

    def judge(self, reading: Reading, measures: Mapping[str, float]) -> DomainFinding:
        """Compare a crop with the training data (see :class:`assistant.interfaces.DomainCheck`)."""
        return self.judge_feature(reading_feature(reading), measures)

    def apply(self, calibrated: Calibrated, finding: DomainFinding) -> Calibrated:
        """Widen the interval at the edge and outside; outside, the verdict is ``uncertain``.

        Both ends move apart by a log-odds that grows from 0.5 at the limit to 1 at the outer limit:
        about what the calibration of a source that was never seen is off by.
        """
        if finding.status == "inside":
            return calibrated
        reach = max(finding.outer_limit - finding.limit, 1e-9)
        share = min(1.0, max(0.0, (finding.distance - finding.limit) / reach))
        drift = _DRIFT * (1.0 if finding.status == "outside" else 0.5 + 0.5 * share)
        low, high = calibrated.interval
        return Calibrated(
            probability=calibrated.probability,
            interval=(
                min(moved(low, -drift), calibrated.probability),
                max(moved(high, drift), calibrated.probability),
            ),
            verdict=Verdict.UNCERTAIN if finding.status == "outside" else calibrated.verdict,
        )

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain values; arrays as base64 of little-endian float16 or float32."""
        return {
            "format": FORMAT,
            "weights_sha256": self.weights_sha256,
            "mean": _packed(self._mean, "<f4"),
            "spread": _packed(self._spread, "<f4"),
            "axes": _packed(self._axes, "<f2"),
            "centres": _packed(self._centres, "<f4"),
            "precision": _packed(self._precision, "<f4"),
            "residual": self._residual,
            "limits": list(self._limits),
            "outer": self.outer,
            "ranges": {n: {"edge": r.edge, "outer": r.outer} for n, r in self.ranges.items()},
            "fitted_on": self.fitted_on,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DomainModel:
        """The reverse of :meth:`to_json`.

        Raises:
            WeightsError: a field is missing or breaks the rules of this class.
        """
        try:
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']!r}, expected {FORMAT!r}")  # noqa: TRY301
            first, second = values["limits"]
            return cls(
                **{
                    name: _unpacked(values[name])
                    for name in ("mean", "spread", "axes", "centres", "precision")
                },
                residual=float(values["residual"]),
                limits=(float(first), float(second)),
                outer=float(values["outer"]),
                ranges={
                    name: Range(float(r["edge"]), float(r["outer"]))
                    for name, r in values["ranges"].items()
                    if name in MEASURES
                },
                weights_sha256=values["weights_sha256"],
                fitted_on=values.get("fitted_on"),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"The domain check cannot be read: {type(error).__name__}: {error}.",
                hint="Fit it again: `whyfake train domain`.",
                code="weights-domain",
            ) from error

    def _parts(self, features: Array) -> Array:
        """N x 2: root mean square distance along the axes (nearest group) and beside them."""
        standard = (features - self._mean) / self._spread
        along = standard @ self._axes
        apart = along[:, None] - self._centres
        squared = np.einsum("ngk,kl,ngl->ng", apart, self._precision, apart).min(1)
        beside = np.maximum((standard**2).sum(1) - (along**2).sum(1), 0.0)
        parts: Array = np.sqrt(
            np.stack([squared / self._axes.shape[1], beside / self._residual], 1).clip(0.0)
        )
        return parts


def load_domain(path: Path) -> DomainModel:
    """Read a domain check from its JSON file.

    Raises:
        WeightsError: the file cannot be read or is no domain check.
    """
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The domain check {path} cannot be read: {error}.",
            hint="Fit it again: `whyfake train domain`.",
            code="weights-domain",
        ) from error
    return DomainModel.from_json(values)


def _range(values: Array, larger_is_worse: bool) -> Range:
    """The edge from the data's own tail; outside begins at twice that excess, or half that size."""
    if larger_is_worse:
        edge = float(np.quantile(values, 1 - _RANGE_SHARE))
        return Range(edge, 1.0 + _RANGE_MARGIN * max(edge - 1.0, 0.25))
    edge = float(np.quantile(values, _RANGE_SHARE))
    return Range(edge, edge / _RANGE_MARGIN)


def _packed(values: Array, kind: str) -> dict[str, Any]:
    data = np.ascontiguousarray(values.astype(kind)).tobytes()
    return {"shape": list(values.shape), "type": kind, "data": base64.b64encode(data).decode()}


def _unpacked(value: Mapping[str, Any]) -> Array:
    if value["type"] not in ("<f2", "<f4"):
        raise ValueError(f"array type {value['type']!r}")
    flat = np.frombuffer(base64.b64decode(value["data"], validate=True), value["type"])
    return flat.astype(np.float64).reshape(value["shape"])
