"""`whyfake eval explanations`, on drawn faces and a flat detector."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image


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
    out, rows = tmp_path / "out.json", tmp_path / "rows.jsonl"
    got = run(
        *("eval", "explanations", "--manifest", manifest, "--narrator", "template"),
        *("--questions", 1, "--json", "--out", out, "--rows", rows),
    )

    assert got.exit_code == 0, got.output
    result = json.loads(out.read_text())
    assert result["schema"] == "whyfake.eval-explanations/2"
    assert result["cases"] == 3
    controls = {f"template+{name}" for name in ("shuffled", "empty", "picture")}
    assert set(result["narrators"]) == {"template", *controls}
    assert result["same_text_with_another_picture"] == {"template": 1.0}
    figures = result["narrators"]["template"]
    assert figures["claim_precision"] == 1.0
    assert figures["n"] == 6
    assert {"claim_precision_raw", "contradictions_shown", "verdict_fidelity"} <= set(figures)
    assert (figures["bits"], figures["own_words"]) == (0.0, 0.0), "the template decides nothing"
    assert {"kept_own_text", "fkgl", "words", "seconds"} <= set(figures)
    assert json.loads(got.stdout)["narrators"]["template"]["sycophancy"] == [0, 10]
    explained = [row for row in map(json.loads, rows.read_text().splitlines()) if row["facts"]]
    assert sum(row["narrator"] == "template" for row in explained) == 3


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


def test_what_is_told_first_is_held_against_what_people_named(run, tmp_path):
    crop = np.full((224, 224, 3), 120, np.uint8)
    crop[140:182, 84:140] = (225, 60, 60)  # the planted detector's reason, at the mouth
    lines = ["path,label,source,video,family"]
    for name in ("3_003_000", "1_004_000"):
        Image.fromarray(crop).save(tmp_path / f"{name}.png")
        lines.append(f"{name}.png,1,ffpp,{name},swap")
    frames, words, answers = (tmp_path / n for n in ("frames.csv", "words.csv", "answers.json"))
    frames.write_text("\n".join(lines))
    words.write_text(
        "id,movie_name,text,manipulation,split\n"
        "1,003_000.mp4,A blurred lip,FaceSwap,test\n"
        "2,004_000.mp4,One cheek,Face2Face,val\n"
    )
    said = {"0": {"question": "?", "answer": ["The person's mouth looks fake."]}}
    answers.write_text(json.dumps({"3_003_000": said}))
    arguments = ("--set", "attributor=patch-lens", "eval", "explanations", "--manifest", frames)
    got = run(*arguments, "--human", words, "--human", answers, "--json")

    assert got.exit_code == 0, got.output
    sets = json.loads(got.stdout)["sets"]
    assert sets["words.csv: all"]["pictures"] == 2
    assert sets["words.csv: all"]["told_of_named"][0] == 0.5
    assert sets["answers.json: all"]["told_of_named"][0] == 1.0
    assert sets["answers.json: all"]["map_of_named"][0] == 1.0

    words.write_text("id,movie_name,text,manipulation,split\n1,9.mp4,The chin,Face2Face,val\n")
    got = run(*arguments, "--human", words)
    assert got.exit_code == 1
    assert "No manipulated picture of the manifest is one that words.csv tells of" in got.output
