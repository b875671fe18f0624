"""The head over a clip's frames: used with the weights it was fitted to, and with no others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import WeightsError
from assistant.evaluation.made_clips import encoded
from assistant.fakes import BrightnessDetector, FlatCalibrator, SkinFaceFinder
from assistant.media import MediaLimits, load_media
from assistant.scoring import ScoredFace, Scorer
from assistant.timeline import FEATURES, clip_features
from assistant.tracks import found_tracks
from tests.drawn import drawn_faces

HEAD = {"weights": [0.0, 0.0, 0.0, 0.0], "bias": 1.25}


def of_clip() -> ScoredFace:
    data = encoded([drawn_faces(1, size=(240, 180))] * 6, 20, rate=6)
    media = load_media(data, MediaLimits(frames=4))
    scorer = Scorer(detector=BrightnessDetector(), calibrator=FlatCalibrator())
    spec = scorer.detector.crop_spec
    found = found_tracks(media, SkinFaceFinder(), spec, most=1, read=scorer.read)
    return scorer.score(found.tracks)[0]


def test_a_head_of_these_weights_makes_the_score_of_a_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_WEIGHTS_DIR", str(tmp_path))
    file = tmp_path / "temporal.json"

    file.write_text(json.dumps({**HEAD, "weights_sha256": BrightnessDetector().weights_sha256}))
    assert (of_clip().score.logit, of_clip().rule) == (1.25, "temporal-head")

    file.write_text(json.dumps({**HEAD, "weights_sha256": "0" * 64}))
    other = of_clip()
    assert other.rule == "mean"
    assert other.score.logit == pytest.approx(other.logits.mean(), abs=1e-3)

    file.write_text(json.dumps({**HEAD, "weights": [1.0], "weights_sha256": "0" * 64}))
    with pytest.raises(WeightsError, match="no head over time"):
        of_clip()


def test_what_rises_for_a_time_is_seen_beside_the_mean() -> None:
    seconds, rng = np.arange(0, 9, 0.3), np.random.default_rng(1)
    quiet = rng.normal(-2, 0.1, 30)
    raised = quiet + np.where((seconds > 3) & (seconds < 5), 3.0, 0.0)

    of_quiet, of_raised = clip_features(seconds, quiet), clip_features(seconds, raised)

    assert of_raised[0] - of_quiet[0] < 1
    for name, value, usual in zip(FEATURES[1:], of_raised[1:], of_quiet[1:], strict=True):
        assert value > 2 > usual >= 0, name
    one = clip_features(seconds[:1], quiet[:1])
    assert one.tolist() == [quiet[0], 0, 0, 0]
