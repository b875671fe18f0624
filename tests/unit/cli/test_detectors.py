"""``whyfake detectors`` and ``--detector``: what is there, and what to do where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assistant.cli.main import main
from tests.drawn import drawn_faces, png
from tests.speaking import plugin_file


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_every_detector_is_listed_with_its_state_and_the_next_step(tmp_path: Path) -> None:
    plugin_file(tmp_path, "xception", calibrated=True)
    told = run("--data-dir", tmp_path, "detectors").stdout
    assert "xception             ready, calibrated" in told
    assert "whyfake train plugin squeezenet" in " ".join(told.split())
    listed = {d["name"]: d for d in json.loads(run("detectors", "--json").stdout)}
    assert listed["clip-ln"]["chosen"]
    assert all(d["ready"] or (d["problem"] and d["hint"]) for d in listed.values())


@pytest.mark.parametrize(
    ("named", "file", "told"),
    [
        ("xceptoin", "", "did you mean 'xception'"),
        ("xception", "gone.safetensors", "whyfake train plugin xception"),
        ("xception", "detectors/sbi.safetensors", "--detector sbi"),
        ("xception", "photo.png", "no file of a trained detector"),
        ("mesonet", "detectors/sbi.safetensors", "--accept-unpinned"),
    ],
)
def test_a_detector_that_cannot_score_ends_in_two_lines_and_no_score(
    model_files: Path, tmp_path: Path, named: str, file: str, told: str
) -> None:
    plugin_file(tmp_path, "sbi")
    (tmp_path / "photo.png").write_bytes(png(drawn_faces()))
    given = ["--weights", tmp_path / file] if file else []
    made = run("--data-dir", model_files, "analyze", tmp_path / "photo.png", "--vlm", "template",
               "--detector", named, *given)  # fmt: skip
    assert (made.exit_code, made.stdout) == (1, "")
    assert told in made.stderr
    assert "Traceback" not in made.stderr
