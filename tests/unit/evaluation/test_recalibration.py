import json
from pathlib import Path

import numpy as np
import pytest

from assistant.calibration.fitting import fit_calibrator
from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.recalibration import recalibrate, recalibration_markdown
from assistant.evaluation.scoring import ScoredRow


def scored(n, seed=0, stretch=4.0):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        label = int(rng.integers(0, 2))
        row = ManifestRow(
            line=i + 2,
            name=f"{i}",
            path=Path(f"{i}"),
            label=label,
            source="s",
            video=f"v{i // 2}",
            family="",
            split="",
            crop=True,
        )
        rows.append(ScoredRow(row=row, face="found", logit=float(stretch * rng.normal(label, 1.0))))
    return [*rows, ScoredRow(row=rows[0].row, face="none")]


def old():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 500)
    return fit_calibrator(rng.normal(labels * 3.0, 1.0), labels, resamples=5)


def test_a_badly_scaled_detector_is_calibrated_and_the_gain_is_measured_on_other_videos():
    fitted, report = recalibrate(scored(800), old())
    assert report["after"]["ece"] < 0.06 < report["before"]["ece"]
    assert report["after"]["nll"] < report["before"]["nll"]
    assert report["after"]["real_called_manipulated"] < 0.1
    assert report["warnings"] == []
    assert fitted.fitted_on["pictures"] == 800
    json.dumps(report, allow_nan=False)
    assert "| ece |" in recalibration_markdown(report)


def test_a_small_folder_is_warned_of_and_a_tiny_one_refused():
    _, report = recalibrate(scored(200), old())
    assert "handful" in report["warnings"][0]
    with pytest.raises(TrainingError, match="at least 30"):
        recalibrate(scored(40), old())
