"""How numbers are written in evidence and in text, the same everywhere; when a case is close."""

from __future__ import annotations

import math

__all__ = [
    "amount", "crosses", "in_hundred", "percent", "points", "reach", "wilson", "written",
]  # fmt: skip


def percent(share: float, digits: int = 0) -> str:
    """A share in [0, 1] as people read it; never "0%" or "100%", which would sound certain."""
    least = 10.0**-digits  # in percent
    if 100 * share < 0.5 * least:
        return f"under {least:.{digits}f}%"
    if 100 * (1 - share) < 0.5 * least:
        return f"over {100 - least:.{digits}f}%"
    return f"{100 * share:.{digits}f}%"


def written(value: float, calibrated: bool, digits: int = 0) -> str:
    """What a detector gives of a face: a probability in percent, a raw score as a decimal."""
    return percent(value, digits) if calibrated else f"{value:.2f}"


def reach(low: float, high: float) -> str:
    """An interval of shares as people read it; empty where both ends read alike."""
    first, last = percent(low), percent(high)
    return "" if first == last else f"{first} to {last}"


def in_hundred(share: float) -> str:
    """A share in [0, 1] as a frequency: ``about 93 in 100``."""
    if share < 0.005:
        return "fewer than 1 in 100"
    if share > 0.995:
        return "more than 99 in 100"
    return f"about {100 * share:.0f} in 100"


def points(change: float) -> str:
    """The size of a change of a share, in percentage points."""
    size = round(abs(change) * 100)
    return "under 1 point" if size < 1 else "1 point" if size == 1 else f"{size} points"


def amount(value: float, unit: str) -> str:
    """A measurement with its unit; whole where it is large, else with up to two digits behind."""
    number = f"{value:.0f}" if abs(value) >= 20 else f"{value:.2f}".rstrip("0").rstrip(".")
    unit = unit.strip()
    if not unit:
        return number
    return f"{number}{unit}" if unit in {"%", "°"} else f"{number} {unit}"


def crosses(interval: tuple[float, float], thresholds: tuple[float, float]) -> bool:
    """Whether an interval of probabilities reaches into another verdict's band."""
    low, high = interval
    return any(low < threshold <= high for threshold in thresholds)


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); (0, 1) of nothing."""
    if not total:
        return 0.0, 1.0
    z, share = 1.959964, count / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    wide = 1 + z * z / total
    return min(share, max(0.0, (middle - half) / wide)), max(
        share, min(1.0, (middle + half) / wide)
    )
