"""The index made of drawn faces with a planted reason, and the measurer that tells of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from assistant.calibration.examples import load_examples
from assistant.detectors.planted import PlantedCueDetector
from assistant.errors import InferenceError
from assistant.evaluation.example_index import KnownCase, build_index, known_cases
from assistant.fakes import FlatCalibrator
from tests.unit.evaluation.test_maps import MOUTH_CUE, face


def cases():
    """Two people; whose mouth is red gets flagged by the planted detector."""
    out = []
    for person in (0, 1):
        for manipulated in (True, False):
            drawn = face(person, mouth=(225, 60, 60) if manipulated else None)
            for level in range(2):
                crop = np.clip(drawn.crop.astype(int) + 3 * level, 0, 255).astype(np.uint8)
                out.append(
                    KnownCase(crop=crop, name="drawn", person=f"p{person}", manipulated=manipulated)
                )
    return out


def test_an_index_holds_what_the_detector_said(tmp_path):
    detector = PlantedCueDetector(MOUTH_CUE)
    made = build_index(cases(), detector, FlatCalibrator(), source="drawn faces")
    assert made.weights_sha256 == detector.weights_sha256
    assert made.people == 2
    expected = [FlatCalibrator().calibrate(float(detector.logits([c.crop])[0])) for c in cases()]
    assert [e.verdict for e in made.examples] == [c.verdict for c in expected]
    made.save(tmp_path / "index.safetensors")
    trace = detector.trace(cases()[0].crop)
    again = load_examples(tmp_path / "index.safetensors")
    first, second = (index.nearest(trace).nearest for index in (made, again))
    assert [(c.right, c.distance) for c in first] == [(c.right, c.distance) for c in second]


def test_every_portrait_gives_both_outcomes_and_no_name():
    found = list(known_cases([face(0), face(1)], rounds=1))
    assert {c.manipulated for c in found} == {True, False}
    assert {c.person for c in found} == {"drawn 0", "drawn 1"}
    assert not any("drawn" in c.name for c in found)


def test_a_detector_without_tokens_is_a_typed_error():
    class Hollow(PlantedCueDetector):
        def trace(self, crop, *, layers=None):
            return dataclasses.replace(super().trace(crop), tokens=None)

    with pytest.raises(InferenceError) as caught:
        build_index(cases(), Hollow(MOUTH_CUE), FlatCalibrator(), source="")
    assert caught.value.code == "example-features"
