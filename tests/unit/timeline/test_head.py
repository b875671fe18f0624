"""The head over a clip's frames: used with the weights it was fitted to, and with no others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import WeightsError
from assistant.evaluation.made_clips import encoded
from assistant.fakes import BrightnessDetector, FlatCalibrator, SkinFaceFinder
from assistant.fitted import build_head
from assistant.media import MediaLimits, load_media
from assistant.scoring import ScoredFace, Scorer
from assistant.settings import Settings
from assistant.timeline import FEATURES, clip_features
from assistant.tracks import found_tracks
from tests.drawn import drawn_faces

HEAD = {"weights": [0.0, 0.0, 0.0, 0.0], "bias": 1.25}


def of_clip(folder: Path) -> ScoredFace:
    data = encoded([drawn_faces(1, size=(240, 180))] * 6, 20, rate=6)
    media = load_media(data, MediaLimits(frames=4))
    detector = BrightnessDetector()
    head = build_head(Settings(data_dir=folder), detector)
    scorer = Scorer(detector=detector, calibrator=FlatCalibrator(), head=head)
    spec = scorer.detector.crop_spec
    found = found_tracks(media, SkinFaceFinder(), spec, most=1, read=scorer.read)
    return scorer.score(found.tracks)[0]


@pytest.mark.parametrize("place", ["shipped", "own"])
def test_a_head_of_these_weights_makes_the_score_of_a_clip(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "shipped").mkdir()
    monkeypatch.setenv("ASSISTANT_WEIGHTS_DIR", str(tmp_path / "shipped"))
    file, own = tmp_path / place / "temporal.json", tmp_path / "own"

    file.write_text(json.dumps({**HEAD, "weights_sha256": BrightnessDetector().weights_sha256}))
    known = of_clip(own)
    assert (known.score.logit, known.rule) == (1.25, "temporal-head")

    file.write_text(json.dumps({**HEAD, "weights_sha256": "0" * 64}))
    other = of_clip(own)
    assert other.rule == "mean"
    assert other.score.logit == pytest.approx(other.logits.mean(), abs=1e-3)

    file.write_text(json.dumps({**HEAD, "weights": [1.0], "weights_sha256": "0" * 64}))
    with pytest.raises(WeightsError, match="no head over time"):
        of_clip(own)


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
