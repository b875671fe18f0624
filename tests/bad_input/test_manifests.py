"""Wrong lists of pictures through every command that reads one: told at once, all together."""

import pytest
from click.testing import CliRunner

from assistant.cli.main import main

COMMANDS = [
    ["eval", "detection", "--manifest", "{}"],
    ["eval", "robustness", "--manifest", "{}"],
    ["eval", "shortcuts", "--manifest", "{}"],
    ["eval", "zero-shot", "--manifest", "{}"],
    ["eval", "cross-dataset", "cdfv2={}"],
    ["calibrate", "--manifest", "{}"],
    ["manifest", "check", "{}"],
    ["train", "domain", "--manifest", "{}"],
]
IDS = [" ".join(c[:2]) for c in COMMANDS]


@pytest.fixture(autouse=True)
def no_model(monkeypatch):
    """What is wrong with a list is told before any model is loaded."""

    def refuse(*_, **__):
        raise AssertionError("a model was loaded first")

    monkeypatch.setattr("assistant.compose.build_detector", refuse)
    monkeypatch.setattr("assistant.compose.build_finder", refuse)


def run(command, path):
    return CliRunner().invoke(main, [part.format(path) for part in command])


@pytest.mark.parametrize("command", COMMANDS, ids=IDS)
def test_every_wrong_line_is_named_before_anything_runs(command, tmp_path):
    (tmp_path / "x.png").touch()
    path = tmp_path / "m.csv"
    path.write_text(
        "path,label,crop\nx.png,0,0\nx.png,1,0\ngone.png,1,0\ny.png,perhaps,0\nx.png,0,7\n,0,0\n"
    )
    result = run(command, path)
    assert result.exit_code == 1, result.output
    for words in (
        "line 3",
        "already on line 2",
        "line 4",
        "gone.png",
        "line 5",
        "perhaps",
        "line 7",
    ):
        assert words in result.stderr
    assert "line 2:" not in result.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=IDS)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no manifest"),
        (b"", "column"),
        (b"picture,kind\na,b\n", "path, label"),
        (b"path,label\n", "no picture"),
        (b"\xff\xfe\x00path", "cannot be read"),
    ],
    ids=["absent", "empty", "columns", "no rows", "not text"],
)
def test_what_is_no_manifest_is_told(command, content, words, tmp_path):
    path = tmp_path / "m.csv"
    if content is not None:
        path.write_bytes(content)
    result = run(command, path)
    assert result.exit_code == 1, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_one_class_is_told_before_a_detector_is_trained(tmp_path):
    (tmp_path / "x.png").touch()
    (tmp_path / "m.csv").write_text("path,label\nx.png,1\n")
    (tmp_path / "c.yaml").write_text("recipe: layer-norms\nmanifest: m.csv\n")
    result = run(["train", "detector", "{}"], tmp_path / "c.yaml")
    assert result.exit_code == 1
    assert "manipulated faces only" in result.output
