import json

import numpy as np
import pytest

from assistant.calibration import CurveCalibrator, load_calibrator
from assistant.calibration.fitting import (
    METHODS,
    conformal_thresholds,
    fit_calibrator,
    verdict_thresholds,
)
from assistant.calibration.record import record_of
from assistant.errors import InferenceError, TrainingError, WeightsError
from assistant.fakes import FlatCalibrator
from assistant.interfaces import Calibrator
from assistant.types import TrackRecord, Verdict


def scores(n=800, seed=0, shift=1.2):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    return rng.normal(labels * shift, 1.0), labels


def curve(**fitted_on):
    return CurveCalibrator(
        method="platt",
        logits=[-1, 1],
        probability=[0.1, 0.9],
        low=[0, 0.8],
        high=[0.2, 1],
        thresholds=(0.3, 0.7),
        fitted_on=fitted_on,
    )


MISSED = {
    "family": "face swaps",
    "missed": 0.4,
    "low": 0.2,
    "high": 0.6,
    "pictures": 9,
    "sources": 2,
}


def test_the_record_of_sources_left_out_is_read_and_a_curve_without_one_says_nothing():
    record = curve(misses=[MISSED], split="sources left out").record

    assert record.unseen
    assert [(m.family, m.missed, m.caught) for m in record.misses] == [("face swaps", 0.4, None)]
    assert curve(split="videos left out").record == TrackRecord()
    assert record_of(curve()) == TrackRecord() == record_of(FlatCalibrator())


@pytest.mark.parametrize(
    "broken", [[{**MISSED, "missed": 1.4}], [{"family": "face swaps"}], [{**MISSED, "sources": 0}]]
)
def test_a_record_that_is_no_table_of_shares_is_an_error(broken):
    values = {**curve().to_json(), "fitted_on": {"misses": broken}}

    with pytest.raises(WeightsError, match="cannot be read"):
        CurveCalibrator.from_json(values)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_monotone_with_the_probability_inside_its_interval(method):
    logits, labels = scores()
    calibrator = fit_calibrator(logits, labels, method=method, resamples=20)
    assert isinstance(calibrator, Calibrator)
    seen = [calibrator.calibrate(x) for x in np.linspace(-50, 50, 801)]
    values = [c.probability for c in seen]
    assert values == sorted(values)
    assert all(0 <= c.interval[0] <= c.probability <= c.interval[1] <= 1 for c in seen)
    assert values[0] < 0.2
    assert values[-1] > 0.8


@pytest.mark.parametrize("method", METHODS)
def test_a_stretched_score_is_brought_back(method):
    logits, labels = scores(4000)
    stretched = 9.0 * logits - 2.0
    calibrator = fit_calibrator(stretched, labels, method=method, resamples=5)
    new, new_labels = scores(4000, seed=1)
    probability = calibrator.probabilities(9.0 * new - 2.0)
    for low in (0.2, 0.4, 0.6):
        rows = (probability > low) & (probability < low + 0.2)
        gap = abs(probability[rows].mean() - new_labels[rows].mean())
        assert gap < (0.2 if method == "temperature" else 0.08)


def test_more_data_gives_a_narrower_interval():
    def width(n):
        calibrator = fit_calibrator(*scores(n), resamples=60)
        low, high = calibrator.calibrate(0.6).interval
        return high - low

    assert width(4000) < width(100)


def test_the_bands_keep_the_promised_error_rates():
    logits, labels = scores(2000)
    calibrator = fit_calibrator(logits, labels, max_error=0.05, resamples=5)
    verdicts = np.array([calibrator.calibrate(x).verdict for x in logits])
    assert (verdicts[labels == 0] == Verdict.LIKELY_MANIPULATED).mean() <= 0.05
    assert (verdicts[labels == 1] == Verdict.NO_SIGN).mean() <= 0.05
    assert (verdicts == Verdict.UNCERTAIN).any()


def test_thresholds_do_not_cross_one_half_for_a_perfect_detector():
    first, second = verdict_thresholds(np.array([0.01] * 50 + [0.99] * 50), np.repeat([0, 1], 50))
    assert first <= 0.5 <= second


def test_saved_and_loaded_the_same(tmp_path):
    calibrator = fit_calibrator(*scores(), resamples=10, fitted_on={"pictures": 800})
    path = tmp_path / "c.json"
    path.write_text(json.dumps(calibrator.to_json()))
    again = load_calibrator(path)
    assert again.thresholds == calibrator.thresholds
    assert again.fitted_on == {"pictures": 800}
    for logit in (-3.0, 0.1, 2.7):
        assert again.calibrate(logit).probability == pytest.approx(
            calibrator.calibrate(logit).probability, abs=1e-5
        )


def test_scores_that_hardly_differ_are_saved_apart():
    logits, labels = scores(80)
    calibrator = fit_calibrator(logits * 1e-7, labels, resamples=10)
    again = CurveCalibrator.from_json(json.loads(json.dumps(calibrator.to_json())))
    assert again.calibrate(2e-7).probability == pytest.approx(
        calibrator.calibrate(2e-7).probability, abs=1e-4
    )


def test_a_bootstrap_over_groups_is_wider_than_over_pictures():
    logits, labels = scores(60, seed=3)
    many, many_labels = np.repeat(logits, 20), np.repeat(labels, 20)
    groups = np.repeat(np.arange(60).astype(str), 20)

    def width(**kw):
        low, high = fit_calibrator(many, many_labels, resamples=60, **kw).calibrate(0.6).interval
        return high - low

    assert width(groups=list(groups)) > 2 * width()


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        (np.zeros(40), np.zeros(40, int), "30 manipulated"),
        (np.full(100, np.nan), np.repeat([0, 1], 50), "not finite"),
    ],
)
def test_what_cannot_be_fitted_is_said(logits, labels, words):
    with pytest.raises(TrainingError, match=words):
        fit_calibrator(logits, labels)


def test_unknown_method_lists_the_known():
    with pytest.raises(TrainingError, match="isotonic"):
        fit_calibrator(*scores(), method="magic")


def test_a_score_that_is_no_number_is_an_error():
    with pytest.raises(InferenceError):
        fit_calibrator(*scores(), resamples=5).calibrate(float("nan"))


@pytest.mark.parametrize(
    "change",
    [
        {"logits": [0.0, 0.0]},
        {"probability": [0.9, 0.1]},
        {"low": [0.5, 0.6]},
        {"thresholds": [0.9, 0.1]},
        {"high": [0.2, float("nan")]},
    ],
)
def test_broken_tables_are_refused(change, tmp_path):
    good = {
        "method": "platt",
        "logits": [-1.0, 1.0],
        "probability": [0.2, 0.8],
        "low": [0.1, 0.7],
        "high": [0.3, 0.9],
        "thresholds": [0.3, 0.7],
    }
    assert CurveCalibrator.from_json(good).calibrate(0.0).probability == pytest.approx(0.5)
    with pytest.raises(WeightsError):
        CurveCalibrator.from_json({**good, **change})


@pytest.mark.parametrize("content", [b"", b"\x10\0\0\0\0\0\0\0{}", b"\xff" * 64])
def test_a_damaged_file_is_a_typed_error(content, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError):
        load_calibrator(path)
    with pytest.raises(WeightsError):
        load_calibrator(tmp_path / "missing.safetensors")


def test_conformal_bands_keep_their_promise_for_new_videos():
    rng = np.random.default_rng(3)
    wrong = []
    for _ in range(400):
        real, fake = rng.beta(2, 4, 40), rng.beta(4, 2, 40)
        labels = np.repeat([0, 1], 40)
        lower, upper = conformal_thresholds(np.concatenate([real, fake]), labels, max_error=0.1)
        assert 0 <= lower <= 0.5 <= upper <= 1
        wrong.append([rng.beta(2, 4) >= upper, rng.beta(4, 2) <= lower])
    assert (np.mean(wrong, 0) <= 0.1 + 0.035).all()


def test_conformal_bands_count_a_video_once_and_give_up_where_there_are_too_few():
    labels = np.repeat([0, 1], 30)
    probabilities = np.concatenate([np.linspace(0.3, 0.8, 30), np.linspace(0.2, 0.7, 30)])
    one_video = ["a"] * 60
    assert conformal_thresholds(probabilities, labels, one_video, max_error=0.1) == (0.0, 1.0)
    lower, upper = conformal_thresholds(probabilities, labels, max_error=0.1)
    assert 0 < lower < 0.5 < upper < 1


def test_bands_that_are_not_known_are_refused():
    with pytest.raises(TrainingError, match="conformal"):
        fit_calibrator(np.arange(80.0), np.arange(80) % 2, bands="wide")
