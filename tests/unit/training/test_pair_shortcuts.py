"""Pairs of sources that can be told apart without looking at a face."""

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from assistant.cli.main import main
from assistant.errors import TrainingError
from assistant.evaluation.face_manifest import read_manifest
from assistant.training.pair_shortcuts import LEAST, pair_shortcuts, pairs_markdown

SOURCES = {
    "photos": (0, 100, 95),
    "alike": (1, 100, 95),
    "bright": (1, 170, 95),
    "few": (1, 100, 95),
}


@pytest.fixture
def manifest(tmp_path):
    """Noise of one look from three sources, and a manipulated source that is brighter."""
    rng = np.random.default_rng(0)
    lines = []
    for source, (label, light, quality) in SOURCES.items():
        for i in range(5 if source == "few" else 40):
            coarse = rng.normal(light, 25, (16, 16, 3)).clip(0, 255).astype(np.uint8)
            name = f"{source}{i}.jpg"
            picture = cv2.resize(coarse, (96, 96))
            cv2.imwrite(str(tmp_path / name), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
            lines.append((name, label, source, f"v{i}"))
    path = tmp_path / "m.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "source", "video"))
        writer.writerows(lines)
    return path


def test_a_pair_that_differs_is_found_and_one_that_does_not_is_not(manifest):
    found = CliRunner().invoke(main, ["eval", "shortcuts", "--manifest", str(manifest), "--json"])
    assert found.exit_code == 0, found.output
    result = json.loads(found.stdout)
    pairs = {(p["genuine"], p["manipulated"]): p for p in result["pairs"]}

    assert set(pairs) == {("photos", "alike"), ("photos", "bright")}
    assert pairs["photos", "bright"]["pixels"] > 0.95
    assert pairs["photos", "bright"]["worn"] > 0.9  # wear does not take light away
    assert pairs["photos", "alike"]["worn"] < 0.7
    assert result["within_reach"]["worn"] <= 1
    assert result["left_out"] == ["few (manipulated)"]
    assert result["pairs"][0]["manipulated"] == "bright"  # the worst comes first
    assert f"{result['within_reach']['worn']} of 2" in pairs_markdown(result)


def test_a_source_of_two_videos_can_be_judged(manifest):
    rows = [
        replace(row, video=f"v{i % 2}") if row.source == "bright" else row
        for i, row in enumerate(read_manifest(manifest))
        if row.source in {"photos", "bright"}
    ]
    (pair,) = pair_shortcuts(rows)["pairs"]
    assert pair["pixels"] > 0.95


def test_sources_too_small_to_tell_are_refused(manifest):
    few = [row for row in read_manifest(manifest) if row.source in {"photos", "few"}]
    with pytest.raises(TrainingError, match=f"{LEAST} manipulated"):
        pair_shortcuts(few)
