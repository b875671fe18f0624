import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from assistant.errors import ConfigError, TrainingError
from assistant.evaluation.face_manifest import read_manifest
from assistant.evaluation.false_alarms import (
    MADE,
    KindsConfig,
    false_alarms,
    false_alarms_markdown,
    load_kinds,
)
from assistant.fakes import BrightnessDetector, FlatCalibrator
from assistant.numbers import wilson
from assistant.scoring import Scorer
from tests.drawn import MiddleFinder, drawn_faces, png

ROOT = Path(__file__).parents[3]


@pytest.fixture
def rows(tmp_path: Path):
    """Bright genuine faces (which the demo detector flags), dark ones, and a manipulated one."""
    lines = []
    for i in range(6):
        bright = i < 3
        name = f"{i}.png"
        skin = (255, 235, 215) if bright else (70, 50, 40)
        (tmp_path / name).write_bytes(png(drawn_faces(skin=skin)))
        lines.append((name, int(i == 5), "sunny" if bright else "dim", "", 1))
    with (tmp_path / "m.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "source", "kind", "crop"))
        writer.writerows(lines)
    return read_manifest(tmp_path / "m.csv")


CONFIG = KindsConfig(kinds={"day": ["sunny"], "evening": ["dim"]})


def table(rows, config=CONFIG, **options):
    scorer = Scorer(detector=BrightnessDetector(), calibrator=FlatCalibrator())
    return false_alarms(rows, MiddleFinder(), scorer, config=config, **options)


def test_genuine_pictures_are_counted_by_kind_with_an_interval(rows):
    result = table(rows)
    day, evening = (result["kinds"][kind] for kind in ("day", "evening"))

    assert (day["n"], evening["n"]) == (3, 2)  # the manipulated one is no false alarm
    assert day["flagged"]["share"] > evening["flagged"]["share"]
    low, high = wilson(day["flagged"]["count"], 3)
    assert (day["flagged"]["low"], day["flagged"]["high"]) == (round(low, 4), round(high, 4))
    assert day["small"]
    assert "| day (few) | 3 |" in false_alarms_markdown(result)
    json.dumps(result, allow_nan=False)


def test_a_kind_is_made_of_others_and_said_to_be(rows):
    config = KindsConfig(kinds=CONFIG.kinds, made=["night"], made_from=["day"])
    result = table(rows, config)

    assert result["kinds"]["night"]["made"]
    assert result["kinds"]["night"]["sources"] == ["sunny"]
    assert result["kinds"]["night"]["flagged"]["share"] < result["kinds"]["day"]["flagged"]["share"]
    assert "night (made)" in false_alarms_markdown(result)


def test_the_manifests_own_column_goes_before_the_source(rows):
    from dataclasses import replace

    own = [replace(row, kind="selfie") if row.name == "0.png" else row for row in rows]

    assert table(own)["kinds"]["selfie"]["n"] == 1
    assert table(own, None)["kinds"].keys() == {"selfie"}


@pytest.mark.parametrize("name", list(MADE))
def test_every_made_kind_changes_a_picture_and_keeps_it_a_picture(name):
    picture = drawn_faces(skin=(200, 160, 140))
    made = MADE[name](picture, np.random.default_rng(0))

    assert made.dtype == np.uint8
    assert made.ndim == 3
    assert made.shape != picture.shape or np.abs(made.astype(int) - picture).mean() > 0.1
    again = MADE[name](picture, np.random.default_rng(0))
    assert np.array_equal(made, again)


def test_kinds_without_pictures_are_named(rows):
    with pytest.raises(TrainingError, match="no genuine picture of these kinds: press"):
        table(rows, KindsConfig(kinds={"press": ["absent"]}))
    with pytest.raises(TrainingError, match="no genuine picture with a kind"):
        table(rows, None)


@pytest.mark.parametrize(
    "wrong", [{"made": ["fog"]}, {"made_from": ["fog"]}, {"kind": {}}, {"kinds": "all"}]
)
def test_a_wrong_file_of_kinds_is_named(tmp_path, wrong):
    (tmp_path / "k.yaml").write_text(yaml.safe_dump(wrong))
    with pytest.raises(ConfigError, match=r"fog|is wrong"):
        load_kinds(tmp_path / "k.yaml")


def test_the_committed_kinds_can_be_read():
    assert set(load_kinds(ROOT / "configs" / "false-alarms.yaml").made) == set(MADE)


def test_wilson_is_never_sure():
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(0, 20)
    assert low == pytest.approx(0.0, abs=1e-9)
    assert 0.1 < high < 0.2
