"""What was fitted to one detector's weights: found where it fits, left out where it does not.

A domain check or a region baseline of other weights says nothing of the
detector in use.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import WeightsError

if TYPE_CHECKING:
    from assistant.attribution.regions import RegionBaseline
    from assistant.interfaces import Detector, DomainCheck
    from assistant.settings import Settings
    from assistant.timeline import TemporalHead

__all__ = [
    "DOMAIN_FILES",
    "build_domain",
    "build_head",
    "region_baseline",
]

_log = logging.getLogger(__name__)

#: The domain check by profile; one in the data folder goes before one that ships.
DOMAIN_FILES = {"embedded": "domain-vits14.json", "full": "domain-vitl14.json"}


def build_domain(settings: Settings, detector: Detector) -> DomainCheck | None:
    """The domain check fitted for this detector; None, with a warning, where there is none.

    A check of other weights says nothing of these scores: it is left out.
    """
    from assistant.calibration.domain import load_domain

    name = DOMAIN_FILES[settings.profile]
    told = "faces unlike those it knows are not told; fit one with `whyfake train domain`"
    made: DomainCheck | None = _made_for(
        detector, load_domain, name, settings, f"no domain check fits, so {told}"
    )
    return made


def build_head(settings: Settings, detector: Detector) -> TemporalHead | None:
    """The head over a clip's frames fitted for this detector; None where there is none.

    Raises:
        WeightsError: the file is damaged.
    """
    from assistant.timeline import TemporalHead

    def load(path: Path) -> TemporalHead:
        try:
            return TemporalHead(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise WeightsError(
                f"{path.name} is no head over time: {error}.",
                hint="Install whyfake again, or fit one: whyfake train temporal.",
            ) from error

    made: TemporalHead | None = _made_for(detector, load, "temporal.json", settings)
    return made


def _made_for(
    detector: Detector,
    load: Callable[[Path], Any],
    name: str,
    settings: Settings,
    missing: str = "",
) -> Any:
    """What was made with this detector's weights, from the data folder or what ships."""
    from assistant.resources import resource_dir
    from assistant.weights.store import data_dir_or_default

    places = [data_dir_or_default(settings.data_dir) / name, resource_dir("weights") / name]
    found = [load(path) for path in places if path.is_file()]
    for model in found:
        if model.weights_sha256 == detector.weights_sha256:
            return model
    if missing:
        _log.log(logging.WARNING if found else logging.INFO, "%s: %s", detector.name, missing)
    return None


def region_baseline(settings: Settings, detector: Detector) -> RegionBaseline | None:
    """What the maps in use show on untouched faces; None where that was not measured for them.

    A baseline of another attributor or of other weights says nothing of these maps: it is left out
    with a warning, and regions then stand out by their lift alone.
    """
    from assistant.attribution.regions import load_baseline
    from assistant.resources import resource_dir

    path = resource_dir("weights") / "region-baseline.json"
    if not path.is_file():
        return None
    try:
        return load_baseline(
            path, attributor=settings.attributor, weights_sha256=detector.weights_sha256
        )
    except WeightsError as error:
        _log.warning("regions are named by their lift alone: %s", error.user_message)
        return None
