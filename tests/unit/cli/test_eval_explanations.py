"""`whyfake eval explanations` and `eval ratings`, on drawn faces and a flat detector."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from assistant.cli import eval_explanations
from assistant.vlm.template import TemplateBackend


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
    path.write_text(
        "rater,case,place,narrator,preferred,true,clear,useful\n"
        "a,c1,1,tuned,yes,5,4,3\na,c1,2,template,no,5,,\n"
    )
    got = run("eval", "ratings", path)

    found = json.loads(got.stdout)
    assert found["narrators"]["template"]["true"] == 5
    assert found["preference"]["share"] == 0.0
    assert "template was preferred to tuned in 0% of 1 cases" in got.stderr
    assert "neither is shown to be better" in got.stderr


def test_the_page_for_readers_names_nobody(run, manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(eval_explanations, "_backend", lambda _name, _settings: TemplateBackend())
    page = tmp_path / "blind.html"
    got = run(
        *("eval", "explanations", "--manifest", manifest, "--questions", 0, "--no-attacks"),
        *("--control", "none", "--narrator", "template", "--narrator", "tuned"),
        *("--blind-page", page),
    )

    assert got.exit_code == 0, got.output
    text = page.read_text()
    assert text.count("<article>") == 3
    assert "template" not in text
    assert "tuned" not in text


def test_the_page_for_readers_needs_two_narrators(run, manifest, tmp_path):
    got = run(
        *("eval", "explanations", "--manifest", manifest, "--narrator", "template"),
        *("--narrator", "untuned", "--blind-page", tmp_path / "blind.html"),
    )

    assert got.exit_code == 2
    assert "compares the template with another narrator" in got.stderr
