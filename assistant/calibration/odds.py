"""Moving a probability by log-odds."""

from __future__ import annotations

import math

__all__ = ["moved"]


def moved(probability: float, log_odds: float) -> float:
    """``probability`` in [0, 1] moved by ``log_odds``; it stays 1e-6 away from certainty."""
    inner = min(max(probability, 1e-6), 1 - 1e-6)
    return 1.0 / (1.0 + math.exp(-(math.log(inner / (1 - inner)) + log_odds)))
