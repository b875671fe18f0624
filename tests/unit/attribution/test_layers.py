"""Attention methods ask a detector that can be traced for just the blocks they need."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.attribution.attention import LeGrad
from assistant.attribution.grids import require_attention
from tests.planted import PlantedCueDetector

CROP = np.full((224, 224, 3), 120, np.uint8)


class Deep(PlantedCueDetector):
    """Runs nine blocks and gives attention only where layers are named, as clip-ln does."""

    depth = 9

    def __init__(self):
        super().__init__()
        self.asked = []

    def trace(self, crop, *, layers=None):
        self.asked.append(None if layers is None else list(layers))
        return super().trace(crop)


@pytest.mark.parametrize(("last", "expected"), [(None, range(9)), (3, range(6, 9)), (20, range(9))])
def test_the_last_blocks_are_asked_for(last, expected):
    detector = Deep()
    require_attention(detector, CROP, None, method="m", gradient=True, last=last)
    assert detector.asked == [list(expected)]


def test_a_trace_tells_how_many_blocks_there_are():
    detector = PlantedCueDetector()
    tokens_only = Deep().trace(CROP)
    deep = Deep()
    blind = type(tokens_only)(
        logit=0.0, layers=(), grid=(16, 16), tokens=np.zeros((4, 257, 4), np.float32)
    )
    require_attention(deep, CROP, blind, method="m", gradient=True, last=2)
    assert deep.asked == [[2, 3]]
    assert tokens_only.grid == detector.trace(CROP).grid


def test_legrad_by_name_looks_at_few_blocks():
    detector = Deep()
    LeGrad().attribute(detector, CROP)
    assert detector.asked == [[5, 6, 7, 8]]
