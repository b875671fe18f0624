"""Whether what a map says of the regions holds when the crop is shifted a little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assistant.attribution.regions import find_regions
from assistant.edits import moved
from assistant.interfaces import Attributor, Detector
from assistant.types import Image, RegionFinding

__all__ = ["SHIFTS", "with_stability"]

#: The shifts (right, down) in shares of the crop's side: about a third of a patch.
SHIFTS: tuple[tuple[float, float], ...] = ((-0.02, 0.0), (0.02, 0.0), (0.0, -0.02), (0.0, 0.02))


def with_stability(
    findings: Sequence[RegionFinding],
    attributor: Attributor,
    detector: Detector,
    crop: Image,
    crop_landmarks: NDArray[np.floating],
    baseline: Mapping[str, float] | None = None,
) -> tuple[RegionFinding, ...]:
    """The findings with ``stability``: the share of :data:`SHIFTS` that say the same of a region.

    A region that stands out is stable where it stands out in the shifted crops too, any other one
    where it does not. Methods that score many crops for one map (they tell by ``scores``) are left
    as they are: ``stability`` stays None.

    Args:
        findings: of the crop as it is, made with the same ``baseline``.
        attributor: made the map.
        detector: was mapped.
        crop: RGB uint8 HWC.
        crop_landmarks: 5 x 2 in crop pixels.
        baseline: see :func:`assistant.attribution.regions.find_regions`.

    Raises:
        InferenceError: a map cannot be made.
    """
    if getattr(attributor, "scores", 1) > 1 or not findings:
        return tuple(findings)
    size = np.array([crop.shape[1], crop.shape[0]], np.float64)
    same = dict.fromkeys((finding.region for finding in findings), 0)
    for shift in SHIFTS:
        heat = attributor.attribute(detector, moved(crop, *shift)).map
        there = find_regions(heat, crop_landmarks + np.array(shift) * size, baseline)
        stands = {finding.region: finding.stands_out for finding in there}
        for finding in findings:
            same[finding.region] += stands[finding.region] is finding.stands_out
    return tuple(
        replace(finding, stability=same[finding.region] / len(SHIFTS)) for finding in findings
    )
