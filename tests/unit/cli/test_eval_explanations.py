"""`whyfake eval explanations` and `eval ratings`, on drawn faces and a flat detector."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from assistant import compose
from assistant.cli.main import main
from assistant.detectors.planted import PlantedCueDetector
from assistant.faces.alignment import template_points
from assistant.fakes import FlatCalibrator
from assistant.types import CropSpec, Detection

SPEC = CropSpec(size=224, scale=0.95, shift_y=-0.13)


class WholePicture:
    """Takes every picture but a black one for an aligned crop."""

    name = "whole"

    def find(self, image):
        if not image.any():
            return ()
        points = template_points(SPEC).astype(np.float32)
        return (Detection(box_xyxy=(0, 0, 224, 224), landmarks=points, confidence=1.0),)

    def provenance(self):
        return {}


@pytest.fixture
def run(monkeypatch):
    detector = PlantedCueDetector((10, 6, 3, 4))
    monkeypatch.setattr(compose, "build_detector", lambda _s: (detector, FlatCalibrator()))
    monkeypatch.setattr(compose, "build_finder", lambda _s: WholePicture())
    return lambda *words: CliRunner().invoke(main, [str(w) for w in words])


@pytest.fixture
def manifest(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(3):
        pixels = rng.integers(40, 200, (224, 224, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    Image.fromarray(np.zeros((224, 224, 3), np.uint8)).save(tmp_path / "black.png")
    path = tmp_path / "pictures.csv"
    path.write_text("path\n0.png\n1.png\n2.png\nblack.png\n")
    return path


def test_the_template_and_its_controls_are_measured(run, manifest, tmp_path):
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    got = run(
        *("eval", "explanations", "--manifest", manifest, "--narrator", "template"),
        *("--questions", 1, "--json", "--out", out, "--page", page),
    )

    assert got.exit_code == 0, got.output
    result = json.loads(out.read_text())
    assert result["schema"] == "whyfake.eval-explanations/1"
    assert result["cases"] == 3
    assert set(result["narrators"]) == {"template", "template+shuffled", "template+empty"}
    figures = result["narrators"]["template"]
    assert figures["claim_precision"] == 1.0
    assert figures["n"] == 6
    assert {"claim_precision_raw", "contradictions_shown", "verdict_fidelity"} <= set(figures)
    assert {"kept_own_text", "fkgl", "words", "seconds"} <= set(figures)
    assert json.loads(got.stdout)["narrators"]["template"]["sycophancy"] == [0, 10]
    assert page.read_text().count("<article>") == 3


def test_a_table_is_printed_without_json(run, manifest):
    got = run(
        *("eval", "explanations", "--manifest", manifest, "--narrator", "template"),
        *("--questions", 0, "--no-attacks", "--control", "empty"),
    )

    assert got.exit_code == 0, got.output
    assert "| template | 1.000 |" in got.stdout


def test_pictures_without_a_face_are_an_error(run, manifest, tmp_path):
    (tmp_path / "none.txt").write_text("black.png\n")
    got = run("eval", "explanations", "--manifest", tmp_path / "none.txt")

    assert got.exit_code == 1
    assert "No face was found" in got.stderr


def test_ratings_are_summed_up(run, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("rater,case,narrator,true,clear,useful\na,c1,template,5,4,3\n")
    got = run("eval", "ratings", path)

    assert json.loads(got.stdout)["narrators"]["template"]["true"] == 5
