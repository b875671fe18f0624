"""Named face regions from five points, and how much of a map falls on each.

Sides are the viewer's. The regions are disjoint and cover the crop; what lies outside the crop has
area 0 and says nothing. Patches of 14 pixels cannot carry finer names than these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.errors import InferenceError, WeightsError
from assistant.types import LEAST_SHARE, REGIONS, RegionFinding

__all__ = [
    "BASELINE_QUANTILES",
    "BASELINE_SCHEMA",
    "LEAST_AREA",
    "QUIET_SHARE",
    "RegionBaseline",
    "baseline_from",
    "find_regions",
    "load_baseline",
    "region_masks",
]

#: The quantiles of region shares on untouched faces that a baseline keeps, in order.
BASELINE_QUANTILES: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
BASELINE_SCHEMA = "whyfake.region-baseline/2"

#: In this share of untouched faces no region at all stands out: nine regions are looked at, and one
#: above its own 90 % quantile is found in two of three untouched faces.
QUIET_SHARE = 0.9
_REFERENCE_QUANTILE = 0.9
#: Without a baseline a region stands out from this lift on.
_STANDS_OUT_LIFT = 1.5  # and never where it holds less than LEAST_SHARE of the map
#: A region of which less than this share of the crop is in view is not looked at.
LEAST_AREA = 0.002


def region_masks(
    crop_landmarks: NDArray[np.floating], size: int | tuple[int, int]
) -> dict[str, NDArray[np.bool_]]:
    """Masks of all :data:`assistant.types.REGIONS`, disjoint, together the whole crop.

    Args:
        crop_landmarks: 5 x 2 (x, y) in crop pixels: the viewer's left and right eye, nose tip, left
            and right mouth corner.
        size: side of the crop, or its height and width, in pixels.

    Raises:
        InferenceError: the points span no face (code ``no-face-parts``).
    """
    height, width = (size, size) if isinstance(size, int) else size
    points = np.asarray(crop_landmarks, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise _no_parts(f"five finite points are expected, got shape {points.shape}")
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    across, down = points[1] - points[0], mouth - eyes
    eye_distance, length = float(np.hypot(*across)), float(np.hypot(*down))
    if length < 1.0:
        raise _no_parts("eyes and mouth coincide")
    # In a turned face the eyes close up while eyes-to-mouth stays: the longer of the two is the
    # scale.
    unit = max(eye_distance, 0.75 * length)
    axis_y = down / length
    axis_x = np.array([axis_y[1], -axis_y[0]])
    if across @ axis_x < 0:
        raise _no_parts("the eyes are not left and right of each other")

    y, x = np.mgrid[0:height, 0:width] + 0.5
    offset = np.stack([x - eyes[0], y - eyes[1]], axis=-1)
    u, v = offset @ axis_x / unit, offset @ axis_y / length

    def place(point: NDArray[np.float64]) -> tuple[float, float]:
        return float((point - eyes) @ axis_x / unit), float((point - eyes) @ axis_y / length)

    middle = place(points[2])[0] * 0.5  # a turned face shifts its midline with the nose
    inside = _ellipse(u, v, (middle, 0.33), (1.02, 1.30))
    masks: dict[str, NDArray[np.bool_]] = {}
    taken = np.zeros((height, width), bool)

    def claim(name: str, mask: NDArray[np.bool_]) -> None:
        nonlocal taken
        masks[name] = mask & ~taken
        taken = taken | mask

    for name, point in (("left eye", points[0]), ("right eye", points[1])):
        centre = place(point)
        side = (u < middle) if name == "left eye" else (u >= middle)
        claim(name, _ellipse(u, v, (centre[0], centre[1] - 0.07), (0.38, 0.30)) & side)
    corners = place(points[3])[0], place(points[4])[0]
    half = max(0.3, (corners[1] - corners[0]) / 2 + 0.12)
    claim("mouth", _ellipse(u, v, (sum(corners) / 2, 1.0), (half, 0.25)))
    tip_u, tip_v = place(points[2])
    along = np.clip((v + 0.2) / (tip_v + 0.2 + 1e-6), 0, 1)
    nose = (v > -0.2) & (v < tip_v + 0.2) & (np.abs(u - tip_u * along) < 0.10 + 0.22 * along)
    claim("nose", nose)
    claim("forehead", inside & (v < -0.12))
    claim("jaw", inside & (v > 1.0))
    claim("left cheek", inside & (u < middle))
    claim("right cheek", inside & (u >= middle))
    claim("background", np.ones((height, width), bool))
    return {name: masks[name] for name in REGIONS}


def _ellipse(
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    centre: tuple[float, float],
    radii: tuple[float, float],
) -> NDArray[np.bool_]:
    return np.asarray(((u - centre[0]) / radii[0]) ** 2 + ((v - centre[1]) / radii[1]) ** 2 < 1.0)


def _no_parts(why: str) -> InferenceError:
    return InferenceError(
        f"No face parts can be named: {why}.",
        hint="Use a photo in which both eyes and the mouth can be seen.",
        code="no-face-parts",
    )


def find_regions(
    heat: NDArray[np.floating],
    crop_landmarks: NDArray[np.floating],
    baseline: Mapping[str, float] | None = None,
) -> tuple[RegionFinding, ...]:
    """How much of a map lies in each region.

    Args:
        heat: H x W, not negative.
        crop_landmarks: 5 x 2 in pixels of the map.
        baseline: region -> the share of the map above which it stands out.

    Returns:
        One finding for each of :data:`assistant.types.REGIONS`, in that order. Shares add up to 1,
        or are all 0 where the map is empty. A region outside the crop has area, share and lift 0.

    Raises:
        InferenceError: the map is not finite or negative, or no face parts can be named.
    """
    heat = np.asarray(heat, np.float64)
    if heat.ndim != 2 or not np.isfinite(heat).all() or (heat.size and heat.min() < 0):
        raise InferenceError(
            f"A map of shape {heat.shape} is not finite or below 0: no region can be read from it.",
            hint="Run `whyfake weights verify`, or choose another attributor.",
            code="map-not-finite",
        )
    masks = region_masks(crop_landmarks, (heat.shape[0], heat.shape[1]))
    total = float(heat.sum())
    findings = []
    for name, mask in masks.items():
        area = float(mask.mean())
        share = float(heat[mask].sum()) / total if total > 0 else 0.0
        lift = share / area if area > 0 else 0.0
        findings.append(
            RegionFinding(
                region=name,
                share=share,
                area=area,
                lift=lift,
                stands_out=area >= LEAST_AREA and _stands_out(name, share, lift, baseline),
            )
        )
    return tuple(findings)


def _stands_out(name: str, share: float, lift: float, baseline: Mapping[str, float] | None) -> bool:
    if share < LEAST_SHARE:
        return False
    if baseline is None:
        return lift >= _STANDS_OUT_LIFT
    return name in baseline and share > baseline[name]


def baseline_from(
    findings: Sequence[Sequence[RegionFinding]],
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """What untouched faces show, and the share above which each region stands out.

    A region's limit is its own 90 % quantile times one factor for all regions, chosen so that in
    nine of ten untouched faces no region stands out.

    Returns:
        Region -> shares at :data:`BASELINE_QUANTILES`; region -> limit.

    Raises:
        ValueError: no face was given.
    """
    if not findings:
        raise ValueError("a baseline needs at least one face")
    shares = {
        name: [f.share for face in findings for f in face if f.region == name] for name in REGIONS
    }
    reference = {
        name: max(float(np.quantile(values, _REFERENCE_QUANTILE)), LEAST_SHARE / 2)
        for name, values in shares.items()
    }
    highest = [
        max((f.share / reference[f.region] for f in face if f.share >= LEAST_SHARE), default=0.0)
        for face in findings
    ]
    factor = max(1.0, float(np.quantile(highest, QUIET_SHARE)))
    quantiles = {
        name: [round(float(q), 5) for q in np.quantile(values, BASELINE_QUANTILES)]
        for name, values in shares.items()
    }
    limits = {
        name: round(min(1.0, max(LEAST_SHARE, factor * value)), 5)
        for name, value in reference.items()
    }
    return quantiles, limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionBaseline:
    """What the maps of one attributor and one detector show on untouched faces.

    Attributes:
        limits: region -> the share of the map above which it stands out.
        map_share: of the score's spread over faces, what comes from the map; None: not measured.
    """

    limits: Mapping[str, float]
    map_share: float | None = None


def load_baseline(
    path: Path, *, attributor: str | None = None, weights_sha256: str | None = None
) -> RegionBaseline:
    """Read ``region-baseline.json``.

    Args:
        path: the file.
        attributor: if given, the baseline must be of this attributor's maps.
        weights_sha256: if given, the baseline must be of this detector's weights.

    Raises:
        WeightsError: it cannot be read, or is of another attributor or detector.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        limits = {str(k): float(v) for k, v in data["limits"].items()}
        share = None if data.get("map_share") is None else float(data["map_share"])
        made_of = {"attributor": data["attributor"], "weights_sha256": data["weights_sha256"]}
        schema = data["schema"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(f"{path.name} cannot be read: {type(error).__name__}") from error
    if schema != BASELINE_SCHEMA:
        raise _unusable(f"{path.name} is not of the form {BASELINE_SCHEMA}")
    if set(limits) != set(REGIONS) or not all(0 < v <= 1 for v in limits.values()):
        raise _unusable(f"{path.name} lacks regions, or a limit is not in (0, 1]")
    for key, wanted in (("attributor", attributor), ("weights_sha256", weights_sha256)):
        if wanted is not None and made_of[key] != wanted:
            raise _unusable(f"is of {key} {made_of[key]!r}, not {wanted!r}")
    if share is not None and not 0 < share <= 1:
        raise _unusable(f"{path.name} has a map_share that is not in (0, 1]")
    return RegionBaseline(limits=limits, map_share=share)


def _unusable(why: str) -> WeightsError:
    return WeightsError(
        f"The region baseline {why}.",
        hint="Make it again: `whyfake eval region-baseline`.",
        code="region-baseline",
    )
