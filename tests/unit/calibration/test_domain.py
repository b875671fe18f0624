import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from assistant.calibration.domain import DomainModel, load_domain, reading_feature
from assistant.errors import InferenceError, TrainingError, WeightsError
from assistant.types import Calibrated, DomainFinding, Reading, Verdict

RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(24, 24)) / 5
FACES = RNG.normal(size=(900, 24)) @ MIX
HELD = RNG.normal(size=(900, 24)) @ MIX
GROUPS = ["a", "b", "c"] * 300
MEASURES = {
    "face_side": np.linspace(80, 300, 500),
    "sharpness": np.linspace(0.2, 0.9, 500),
    "blockiness": np.linspace(1.0, 1.4, 500),
}
GOOD = {"face_side": 200.0, "sharpness": 0.5, "blockiness": 1.1}


@pytest.fixture(scope="module")
def model():
    return DomainModel.fit(
        FACES, GROUPS, held_out=HELD, measures=MEASURES, weights_sha256="ab" * 32, directions=8
    )


def test_of_faces_like_the_training_data_few_are_at_the_edge_and_hardly_one_outside(model):
    fresh = np.random.default_rng(5).normal(size=(4000, 24)) @ MIX
    found = [model.judge_feature(row, GOOD).status for row in fresh]
    assert 0.003 < np.mean([s != "inside" for s in found]) < 0.05
    assert np.mean([s == "outside" for s in found]) < 0.005


def test_a_face_far_away_is_outside_along_and_beside_the_leading_directions(model):
    for direction in (MIX[0] / np.linalg.norm(MIX[0]), np.linalg.svd(MIX)[2][-1]):
        steps = [model.judge_feature(direction * size, GOOD) for size in (0.0, 100.0)]
        assert [f.status for f in steps] == ["inside", "outside"]
        assert steps[1].reasons
        assert steps[1].distance > steps[1].outer_limit > steps[1].limit


@pytest.mark.parametrize(
    ("measures", "status", "word"),
    [
        (GOOD, "inside", ""),
        ({}, "inside", ""),
        ({**GOOD, "face_side": 60.0}, "edge", "smaller"),
        ({**GOOD, "face_side": 30.0}, "outside", "smaller"),
        ({**GOOD, "face_side": 5000.0}, "inside", ""),
        ({**GOOD, "sharpness": 0.05}, "outside", "blurred"),
        ({**GOOD, "blockiness": 1.6}, "edge", "compressed"),
        ({**GOOD, "blockiness": 5.0}, "outside", "compressed"),
    ],
)
def test_size_sharpness_and_compression_have_limits_of_their_own(model, measures, status, word):
    found = model.judge_feature(np.zeros(24), measures)
    assert found.status == status
    assert word in " ".join(found.reasons)
    assert bool(found.reasons) == (status != "inside")


def test_the_interval_widens_at_the_edge_and_there_is_no_verdict_outside(model):
    given = Calibrated(probability=0.9, interval=(0.85, 0.93), verdict=Verdict.LIKELY_MANIPULATED)

    def after(status, distance):
        reasons = () if status == "inside" else ("odd",)
        finding = DomainFinding(
            status=status, distance=distance, limit=1.0, outer_limit=1.5, reasons=reasons
        )
        return model.apply(given, finding)

    inside, edge, far, outside = (
        after("inside", 0.5),
        after("edge", 1.1),
        after("edge", 1.4),
        after("outside", 2.0),
    )
    assert inside == given
    assert edge.verdict is Verdict.LIKELY_MANIPULATED
    assert outside.verdict is Verdict.UNCERTAIN
    widths = [c.interval[1] - c.interval[0] for c in (inside, edge, far, outside)]
    assert widths == sorted(widths)
    assert len(set(widths)) == 4
    for found in (edge, far, outside):
        assert 0 <= found.interval[0] <= found.probability <= found.interval[1] <= 1
        assert found.probability == 0.9


def test_saved_and_loaded_it_judges_the_same(model, tmp_path):
    path = tmp_path / "domain.json"
    path.write_text(json.dumps(model.to_json()))
    loaded = load_domain(path)
    assert loaded.weights_sha256 == "ab" * 32
    np.testing.assert_allclose(loaded.distances(HELD), model.distances(HELD), rtol=5e-3)
    assert loaded.ranges == model.ranges


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other/1"},
        {"axes": {"shape": [2, 2], "type": "<f2", "data": "!!"}},
        {"mean": None},
        {"spread": {"shape": [1], "type": "<f8", "data": ""}},
        {"limits": [0.0, 1.0]},
        {"outer": 0.2},
    ],
)
def test_a_damaged_file_is_refused(model, change, tmp_path):
    path = tmp_path / "domain.json"
    path.write_text(json.dumps(model.to_json() | change))
    with pytest.raises(WeightsError, match="domain check"):
        load_domain(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_domain(tmp_path / "absent.json")


def test_too_few_faces_or_bad_features_are_refused(model):
    with pytest.raises(TrainingError, match="needs 200 faces"):
        DomainModel.fit(FACES[:50], GROUPS[:50], held_out=HELD, measures={}, weights_sha256="")
    with pytest.raises(TrainingError, match="not finite"):
        DomainModel.fit(FACES * np.nan, GROUPS, held_out=HELD, measures={}, weights_sha256="")
    with pytest.raises(InferenceError, match="fitted on 24"):
        model.judge_feature(np.zeros(25), {})
    with pytest.raises(InferenceError, match="shows none"):
        model.judge(Reading(logit=0.0), {})


def test_the_feature_is_class_token_and_mean_patch_of_the_last_block():
    statistics = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    found = reading_feature(Reading(logit=0.0, statistics=statistics))
    np.testing.assert_allclose(found, [*statistics[1, 0], *statistics[1, 1]])


WEIGHTS = Path(__file__).parents[3] / "weights"


def test_the_shipped_check_belongs_to_the_shipped_detector():
    shipped = hashlib.sha256((WEIGHTS / "clip-ln-vits14.safetensors").read_bytes()).hexdigest()
    loaded = load_domain(WEIGHTS / "domain-vits14.json")
    assert loaded.weights_sha256 == shipped, "run whyfake train domain for the new weights"
    assert set(loaded.ranges) == {"face_side", "sharpness", "blockiness"}
