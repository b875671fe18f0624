"""Between scores and evidence: what is scored, and how often."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.fakes import BrightnessDetector, FlatCalibrator, MouthMap
from assistant.measuring import Measurer
from assistant.scoring import Scorer
from assistant.types import FaceAnalysis, Fact
from tests.unit.evaluation.analyses import analysis
from tests.unit.grounding import cases


class Counting(BrightnessDetector):
    def __init__(self, *, mirrors: bool) -> None:
        self.mirrors = mirrors
        self.scored = 0

    def logits(self, crops):
        self.scored += len(crops)
        return super().logits(crops)


@pytest.mark.parametrize(("mirrors", "scored"), [(False, 3), (True, 2)])
def test_a_crop_is_scored_once_however_many_probes_ask(mirrors: bool, scored: int) -> None:
    detector = Counting(mirrors=mirrors)
    scorer = Scorer(detector=detector, calibrator=FlatCalibrator())
    measurer = Measurer(scorer=scorer, attributor=MouthMap())
    crop = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    other = np.full((8, 8, 3), 200, np.uint8)
    seen: list[np.ndarray] = []

    def probe(_result: FaceAnalysis, seen_by: object, _calibrator: object) -> tuple[Fact, ...]:
        crops = [crop, other, crop, crop[:, ::-1]]
        seen.append(seen_by.logits(crops))  # type: ignore[attr-defined]
        return ()

    case = analysis(cases.manipulated())
    for _ in range(2):
        measurer.with_facts(case, probe)
    assert detector.scored == scored
    expected = BrightnessDetector().logits([crop, other, crop, crop[:, ::-1]])
    for logits in seen:
        assert np.allclose(logits, expected)
