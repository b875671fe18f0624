import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from assistant.calibration import CurveCalibrator, load_calibrator
from assistant.cli.main import main
from assistant.errors import ConfigError, TrainingError
from assistant.evaluation.face_manifest import ManifestRow
from assistant.evaluation.operating_points import (
    LEAST_OF_SOURCE,
    operating_points,
    points_markdown,
    source_rows,
)
from assistant.evaluation.scoring import ScoredRow
from assistant.fakes import FlatCalibrator
from assistant.types import Verdict
from tests.drawn import drawn_faces, png

MISSED = {"family": "face swaps", "missed": 0.4, "low": 0.2, "high": 0.6, "caught": 0.1}
FITTED = {
    "split": "sources left out",
    "misses": [{**MISSED, "pictures": 9, "sources": 2}],
    "told": {"made": {"right": 0.9, "low": 0.8, "high": 1.0, "pictures": 40}},
}


def curve() -> CurveCalibrator:
    """The probability is the logit."""
    grid = np.linspace(0, 1, 101)
    return CurveCalibrator(
        method="platt",
        logits=grid,
        probability=grid,
        low=grid,
        high=grid,
        thresholds=(0.3, 0.6),
        fitted_on=FITTED,
    )


def scored(source: str, values: np.ndarray, label: int = 0) -> list[ScoredRow]:
    return [
        ScoredRow(
            row=ManifestRow(
                line=i + 2,
                name=f"{source}/{i}.png",
                path=Path(f"{source}/{i}.png"),
                label=label,
                source=source,
                video=f"{source}{i}",
                family="",
                split="",
                crop=False,
            ),
            face="found",
            logit=float(value),
        )
        for i, value in enumerate(values)
    ]


SOURCES = [
    *scored("press", np.linspace(0.1, 0.7, 100)),
    *scored("night", np.linspace(0.2, 0.9, 40)),
    *scored("few", np.full(5, 0.99)),
]


def test_at_most_one_in_twenty_of_every_source_is_flagged_and_no_picture_more_is_let_go() -> None:
    fitted, report = operating_points(SOURCES, curve())

    def flagged(source: str, threshold: float) -> int:
        return sum(
            fitted.calibrate(s.logit).probability >= threshold
            for s in SOURCES
            if s.row.source == source and s.logit is not None
        )

    assert flagged("press", fitted.thresholds[1]) <= 5
    assert flagged("night", fitted.thresholds[1]) == 2
    assert flagged("night", fitted.thresholds[1] - 0.001) == 3
    assert report["sources"]["night"]["flagged"]["count"] == 2
    assert report["sources"]["night"]["flagged_before"]["count"] > 10
    assert report["sources"]["night"]["flagged_held_out"]["share"] <= 0.2
    low, high = (report["sources"]["night"]["flagged"][end] for end in ("low", "high"))
    assert low < 0.05 < high


def test_a_source_that_is_too_small_is_named_and_sets_no_threshold() -> None:
    fitted, report = operating_points(SOURCES, curve())

    assert fitted.thresholds[1] < 0.99
    assert report["sources"]["few"]["used"] is False
    assert f"few has 5 pictures with a face, under {LEAST_OF_SOURCE}" in report["warnings"][0]
    assert "few (too small)" in points_markdown(report)
    with pytest.raises(TrainingError, match=r"few \(5\)"):
        operating_points(scored("few", np.full(5, 0.9)), curve())


def test_the_probabilities_stay_and_what_no_longer_holds_is_dropped() -> None:
    fitted, _ = operating_points(SOURCES, curve(), weights_sha256="ab" * 32)

    assert fitted.calibrate(0.42).probability == pytest.approx(0.42)
    assert fitted.thresholds[0] == 0.3
    assert fitted.record.unseen
    assert [(m.family, m.missed, m.caught) for m in fitted.record.misses] == [
        ("face swaps", 0.4, None)
    ]
    assert fitted.record.told == ()
    assert fitted.fitted_on["weights_sha256"] == "ab" * 32


def test_what_is_caught_of_manipulated_pictures_is_told_beside_it() -> None:
    fakes = scored("swaps", np.linspace(0.5, 1.0, 50), label=1)
    _, report = operating_points([*SOURCES, *fakes], curve())

    told = report["manipulated"]["swaps"]
    assert told["caught"]["share"] < told["caught_before"]["share"]
    assert "| swaps | 50 |" in points_markdown(report)
    json.dumps(report, allow_nan=False)


def test_a_calibrator_that_is_no_curve_is_refused() -> None:
    with pytest.raises(ConfigError, match="need a calibration curve"):
        operating_points(SOURCES, FlatCalibrator())


def test_sub_folders_are_sources_and_fakes_lie_beside(tmp_path: Path) -> None:
    for name in ("real/a/1.jpg", "real/b/2.PNG", "real/3.jpg", "fake/x/4.jpg", "real/a/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    rows = source_rows(tmp_path)
    assert sorted((r.source, r.label) for r in rows) == [("a", 0), ("b", 0), ("real", 0), ("x", 1)]
    assert {r.source for r in source_rows(tmp_path / "real")} == {"a", "b", "real"}
    with pytest.raises(TrainingError, match="no genuine picture"):
        source_rows(tmp_path / "absent")


def test_the_command_writes_points_that_analyze_uses_with_the_same_weights_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import assistant.compose
    from assistant.fakes import BrightnessDetector
    from tests.drawn import MiddleFinder

    for i in range(20):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / f"{i}.png").write_bytes(png(drawn_faces(skin=(200 + i, 180, 160))))
    monkeypatch.setattr(
        assistant.compose, "build_detector", lambda settings: (BrightnessDetector(), wide())
    )
    monkeypatch.setattr(assistant.compose, "build_finder", lambda settings: MiddleFinder())
    out = tmp_path / "points.json"
    told = CliRunner().invoke(main, ["calibrate", str(tmp_path), "--out", str(out)])

    assert told.exit_code == 0, told.output
    assert "| mine | 20 |" in told.output
    points = load_calibrator(out)
    assert points.fitted_on["weights_sha256"] == BrightnessDetector().weights_sha256
    assert points.verdict(points.thresholds[1]) is Verdict.LIKELY_MANIPULATED
    wrong = CliRunner().invoke(main, ["calibrate", str(tmp_path), "--manifest", "m.csv"])
    assert wrong.exit_code == 2
    assert "either FOLDER or --manifest" in wrong.output


def wide() -> CurveCalibrator:
    grid = np.linspace(-20, 20, 81)
    probability = 1 / (1 + np.exp(-grid))
    return CurveCalibrator(
        method="platt",
        logits=grid,
        probability=probability,
        low=probability,
        high=probability,
        thresholds=(0.3, 0.6),
    )
