"""The stage and its reference: what speaks, what stays silent and why."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assistant.cues.reference import SCHEMA, CueReference, Known, load_reference
from assistant.cues.stage import VisibleCues, enlarged
from assistant.errors import WeightsError
from assistant.evidence import CueFact, NoCueFact, cue_facts
from assistant.faces.dense import DenseLandmarks
from assistant.fakes import BrightnessCue
from assistant.numbers import wilson
from assistant.types import CuesLooked, QualityIssue
from tests.unit.faces.scenes import POINTS, astronaut, model_file


def known(values, *, eyes=46.0):
    values = np.asarray(values, np.float64)
    return Known(
        eyes=np.full(len(values), eyes),
        fineness=np.full(len(values), -1.0),
        values={"brightness": values},
    )


def reference(genuine, manipulated, limit=0.05):
    return CueReference(
        genuine=known(genuine),
        manipulated=known(manipulated),
        limits={"brightness": limit},
        sources={"drawn": (len(genuine), len(manipulated))},
    )


@pytest.fixture(scope="module")
def dense(data_dir):
    return DenseLandmarks(model_file("face-landmarks", data_dir))


def look(made, dense, issues=(), *, factor=1.0):
    picture = astronaut().astype(np.float64)
    picture[:, :222] *= factor
    frame = np.clip(picture, 0, 255).astype(np.uint8)
    return VisibleCues([BrightnessCue()], made, dense).look(frame, POINTS, issues)


ORDINARY = np.linspace(0.5, 1.5, 200)


def test_what_few_genuine_and_more_manipulated_faces_show_speaks_with_both_rates(dense):
    made = reference(ORDINARY * 0.1, np.linspace(0.5, 3.0, 200))
    looked = look(made, dense)
    (finding,) = looked.spoken
    assert finding.genuine.share == 0.0
    assert finding.genuine.faces == 200
    assert finding.manipulated.share > 0.5
    assert [p.shape for p in finding.pictures] == [(240, 240, 3)] * 2
    (fact,) = cue_facts(looked)
    assert isinstance(fact, CueFact)
    assert "fewer than 1 in 100 (0 to 2) genuine faces" in fact.text
    assert fact.values()["genuine"]["faces"] == 200


@pytest.mark.parametrize(
    "made",
    [
        reference(ORDINARY * 10, ORDINARY * 10),  # as common among genuine faces
        reference(ORDINARY * 0.1, ORDINARY * 0.1),  # as rare among manipulated ones
    ],
)
def test_what_is_common_or_tells_nothing_stays_silent_and_that_is_said(dense, made):
    looked = look(made, dense)
    assert looked.spoken == ()
    assert len(looked.findings) == 1
    (fact,) = cue_facts(looked)
    assert isinstance(fact, NoCueFact)
    assert fact.text.startswith("Nothing that can be seen was measured to differ; the score rests")


def test_a_face_that_cannot_be_judged_says_why(dense):
    looked = look(reference(ORDINARY, ORDINARY), dense, [QualityIssue.TURNED])
    assert looked.findings == ()
    assert looked.not_judged[0].reason == "the face is turned away"
    (fact,) = cue_facts(looked)
    assert fact.text == "No visible cue was judged, because the face is turned away."


def test_points_on_one_spot_are_a_reason_and_no_crash(dense):
    cues = VisibleCues([BrightnessCue()], reference(ORDINARY, ORDINARY), dense)
    looked = cues.look(astronaut(), np.full((5, 2), 60.0))
    assert looked.not_judged[0].reason == "its points could not be found"


def test_no_face_in_the_place_is_a_reason(dense):
    cues = VisibleCues([BrightnessCue()], reference(ORDINARY, ORDINARY), dense)
    looked = cues.look(np.full_like(astronaut(), 120), POINTS)
    assert looked.findings == ()
    assert "could not be found" in looked.not_judged[0].reason


def test_a_cue_without_a_limit_is_not_asked(dense):
    made = CueReference(genuine=known(ORDINARY), manipulated=known(ORDINARY), limits={}, sources={})
    assert VisibleCues([BrightnessCue()], made, dense).look(astronaut(), POINTS) == CuesLooked()


def test_only_faces_of_the_same_size_are_compared():
    small, large = np.full(300, 1.0), np.full(300, 5.0)
    both = Known(
        eyes=np.repeat([30.0, 80.0], 300),
        fineness=np.full(600, -1.0),
        values={"brightness": np.concatenate([small, large])},
    )
    assert both.rate("brightness", 1, 3.0, 30.0, -1.0).share == 0.0
    assert both.rate("brightness", 1, 3.0, 80.0, -1.0).share == 1.0
    assert both.rate("brightness", -1, 3.0, 80.0, -1.0).share == 0.0


def test_wilsons_interval_is_the_published_one():
    # Newcombe 1998, table I: 15 of 148.
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=2e-4)


def test_a_pair_is_cut_at_one_scale_and_inside_the_frame():
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[:, 50:] = 255
    frame[0, 0] = 255
    first, second = enlarged(frame, [(0, 0, 10, 10), (40, 40, 60, 60)])
    assert first.shape == second.shape == (240, 240, 3)
    assert first[40:].max() == 0  # beyond the frame, its corner would be repeated
    assert second[:, :100].max() == 0
    assert second[:, 140:].min() == 255


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "{}",
        json.dumps({"schema": "another"}),
        json.dumps(
            {
                "schema": SCHEMA,
                "limits": {"a": 0.1},
                "sources": {},
                "genuine": {"eyes": [1], "fineness": [1, 2], "values": {"a": [1]}},
                "manipulated": {"eyes": [1], "fineness": [1], "values": {"a": [1]}},
            }
        ),
    ],
)
def test_a_reference_that_is_not_one_is_refused(tmp_path, text):
    path = tmp_path / "cues.json"
    path.write_text(text)
    with pytest.raises(WeightsError, match="cannot be used") as caught:
        load_reference(path)
    assert "train cues" in caught.value.hint
