"""Every visible cue keeps the same contract, the fake too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assistant import registry
from assistant.cues import face_window
from assistant.cues.cue import LEAST_EYES, Cue, refused
from assistant.cues.window import shrunk
from assistant.faces.dense import DenseLandmarks
from assistant.fakes import BrightnessCue
from assistant.types import CueReading, NotJudged, QualityIssue
from tests.unit.faces.scenes import POINTS, astronaut, model_file


@pytest.fixture(scope="module")
def dense(data_dir):
    return DenseLandmarks(model_file("face-landmarks", data_dir))


@pytest.fixture(scope="module")
def window(dense):
    points = dense.find(astronaut(), POINTS)
    return face_window(astronaut(), points.points, points.depth)


@pytest.fixture(scope="module", params=[*registry.BUILT_IN["cues"], "brightness"])
def cue(request) -> Cue:
    if request.param == "brightness":
        return BrightnessCue()
    return registry.load("cues", request.param, plugins=False)()


def test_it_is_a_cue_with_the_name_it_is_registered_by(cue):
    assert isinstance(cue, Cue)
    assert cue.name in {*registry.BUILT_IN["cues"], "brightness"}
    assert cue.sign in {-1, 1}
    assert all(isinstance(issue, QualityIssue) for issue in cue.gates)


def test_a_clear_face_gets_a_finite_reading_of_two_places_in_the_picture(cue, window):
    read = cue.measure(window)
    assert isinstance(read, CueReading)
    assert read.cue == cue.name
    assert np.isfinite(read.value)
    assert read.unit
    assert read.places[0].name != read.places[1].name
    for place in read.places:
        x0, y0, x1, y1 = place.box_xyxy
        assert 0 <= x0 < x1 <= 512
        assert 0 <= y0 < y1 <= 512


def test_it_says_the_same_twice_and_leaves_the_picture_alone(cue, window):
    before = window.image.copy()
    first = cue.measure(window)
    assert cue.measure(replace(window)) == first
    np.testing.assert_array_equal(window.image, before)


def test_a_flat_picture_never_gives_a_number_that_is_not_finite(cue, window):
    flat = replace(window, image=np.full_like(window.image, 128))
    read = cue.measure(flat)
    assert isinstance(read, NotJudged) or np.isfinite(read.value)


@pytest.mark.parametrize("issue", [QualityIssue.TURNED, QualityIssue.CUT_OFF, QualityIssue.UNSURE])
def test_a_face_that_cannot_be_judged_is_refused_with_a_reason(cue, window, issue):
    silent = refused(cue, replace(window, issues=frozenset({issue})))
    assert isinstance(silent, NotJudged)
    assert silent.reason
    assert refused(cue, window) is None


def test_a_small_face_is_refused_by_its_size(cue, window):
    silent = refused(cue, shrunk(window, 0.9 * LEAST_EYES / window.eyes))
    assert isinstance(silent, NotJudged)
    assert "pixels apart" in silent.reason


def test_what_is_seen_in_colour_is_refused_of_a_grey_face(cue, window):
    grey = replace(window, issues=frozenset({QualityIssue.GREYSCALE}))
    assert (refused(cue, grey) is None) is not cue.name.endswith(("colour", "colour-noise")) or (
        QualityIssue.GREYSCALE in cue.gates
    )
    if "colour" in cue.name:
        assert isinstance(refused(cue, grey), NotJudged)
