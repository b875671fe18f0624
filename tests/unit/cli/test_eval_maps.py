"""`whyfake eval maps` and `region-baseline`, on a planted reason and drawn faces."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from assistant.attribution.regions import load_baseline
from tests.planted import PlantedCueDetector


@pytest.fixture
def manifest(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["path,label"]
    for i in range(3):
        crop = rng.normal(120, 15, (224, 224, 3)).clip(0, 255).astype(np.uint8)
        if i:
            crop[140:182, 84:140] = (225, 60, 60)
        Image.fromarray(crop).save(tmp_path / f"{i}.png")
        lines.append(f"{i}.png,0")
    Image.fromarray(np.zeros((50, 50, 3), np.uint8)).save(tmp_path / "black.png")
    path = tmp_path / "faces.csv"
    path.write_text("\n".join([*lines, "black.png,0"]))
    return path


def test_maps_as_json_file_and_page(run, manifest, tmp_path):
    out, page = tmp_path / "maps.json", tmp_path / "maps.html"
    result = run(
        "eval", "maps", "--manifest", manifest, "--method", "patch-lens", "--deep", 2,
        "--json", "--out", out, "--page", page,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed == json.loads(out.read_text())
    assert printed["default"] == "patch-lens"
    assert set(printed["methods"]) == {"patch-lens", "random", "centre-prior", "true-mask"}
    assert printed["faces"] == "3 faces (faces.csv)"
    for name in ("pointing", "iou", "auprc", "deletion_auc", "insertion_auc", "ms", "n"):
        assert isinstance(printed["methods"]["patch-lens"][name], int | float)
    assert "known mask" in page.read_text()


def test_maps_as_words(run, manifest):
    result = run("eval", "maps", "--manifest", manifest, "--method", "patch-lens", "--deep", 1)
    assert result.exit_code == 0, result.output
    assert "| **patch-lens** |" in result.stdout
    assert "Counterfactuals, over" in result.stdout
    assert "| inpaint |" in result.stdout


def test_no_face_in_the_manifest(run, tmp_path):
    Image.fromarray(np.zeros((50, 50, 3), np.uint8)).save(tmp_path / "black.png")
    (tmp_path / "m.txt").write_text("black.png\n")
    result = run("eval", "maps", "--manifest", tmp_path / "m.txt", "--method", "patch-lens")
    assert result.exit_code == 1
    assert "No face was found in 1 pictures" in result.output


def test_unknown_method(run, manifest):
    result = run("eval", "maps", "--manifest", manifest, "--method", "patch-lense")
    assert result.exit_code == 1
    assert "patch-lens" in result.output


def test_region_baseline(run, manifest, tmp_path):
    out = tmp_path / "baseline.json"
    result = run(
        "--set", "attributor=patch-lens",
        "eval", "region-baseline", "--manifest", manifest, "--out", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    weights = PlantedCueDetector((10, 6, 3, 4)).weights_sha256
    baseline = load_baseline(out, attributor="patch-lens", weights_sha256=weights).limits
    assert baseline["mouth"] > baseline["left eye"]


def test_parts_tell_whether_the_exchanged_one_comes_first(run, manifest):
    arguments = ("--set", "attributor=patch-lens", "eval", "maps", "--manifest", manifest)
    result = run(*arguments, "--parts", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["told_first"]
    assert {row["of_swaps"] for row in told.values()} == {9}
    # Only a red mouth laid into the face without one raises the planted detector's score.
    assert told["score raised"]["n"] == 1
    assert told["score raised"]["cause"] == [1.0, 1.0, 1.0]
    words = run(*arguments, "--parts")
    assert "| score raised | 1 of 9 | 1.00" in words.stdout
