"""What a calibration says of sources left out of training, read from its ``fitted_on``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.interfaces import Calibrator
from assistant.types import Missed, Told, TrackRecord

__all__ = ["LEFT_OUT", "read_record", "record_of"]

#: ``fitted_on["split"]`` of a calibration on sources left out.
LEFT_OUT = "sources left out"


def record_of(calibrator: Calibrator) -> TrackRecord:
    """A calibrator's record; empty for one that keeps none (a fake, a third party's)."""
    record = getattr(calibrator, "record", None)
    return record if isinstance(record, TrackRecord) else TrackRecord()


def read_record(fitted_on: Mapping[str, Any]) -> TrackRecord:
    """The record in ``fitted_on``: ``split``, ``misses``, ``told``; what is not there stays empty.

    Raises:
        KeyError, TypeError, ValueError: a table is not one.
    """
    misses = [
        Missed(
            family=str(one["family"]),
            missed=float(one["missed"]),
            low=float(one["low"]),
            high=float(one["high"]),
            pictures=int(one["pictures"]),
            sources=int(one["sources"]),
            caught=None if one.get("caught") is None else float(one["caught"]),
        )
        for one in fitted_on.get("misses", ())
    ]
    told = [
        Told(
            kind=str(kind),
            right=float(one["right"]),
            low=float(one["low"]),
            high=float(one["high"]),
            pictures=int(one["pictures"]),
        )
        for kind, one in fitted_on.get("told", {}).items()
    ]
    return TrackRecord(
        unseen=fitted_on.get("split") == LEFT_OUT,
        misses=tuple(sorted(misses, key=lambda one: -one.missed)),
        told=tuple(told),
    )
