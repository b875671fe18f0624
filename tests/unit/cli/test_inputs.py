"""What ``analyze`` reads and refuses, before and without any model."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from assistant.cli.main import main
from assistant.fakes import SkinFaceFinder, demo_assistant
from tests.drawn import drawn_faces, png

FACE = png(drawn_faces())


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("assistant.compose.build", lambda *_, **__: demo_assistant())

    def invoke(*words: object, piped: bytes = b"") -> Result:
        return CliRunner().invoke(main, [str(w) for w in words], input=piped)

    return invoke


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The commands where building an assistant is a failure of the test."""

    def build(*_: object, **__: object) -> None:
        pytest.fail("a model was loaded before the paths were checked")

    monkeypatch.setattr("assistant.compose.build", build)
    return lambda *words, piped=b"": CliRunner().invoke(main, [str(w) for w in words], input=piped)


def folder_of(path: Path, *names: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name in names:
        (path / name).write_bytes(FACE)
    return path


def told(result: Result) -> dict[str, dict[str, str]]:
    return {(found := json.loads(line))["file"]: found for line in result.stdout.splitlines()}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("absent.jpg", "missing-path"),
        ("https://example.org/photo.jpg", "address"),
        ("HTTP://example.org/photo.jpg", "address"),
        ("absent-*.jpg", "no-match"),
        ("empty", "no-pictures"),
        ("texts", "no-pictures"),
        ("note.jpg", "not-an-image"),
        ("nothing.jpg", "empty-file"),
        ("-", "not-an-image"),
    ],
)
def test_what_cannot_be_read_is_told_before_any_model_is_loaded(
    no_models: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("texts").mkdir()
    Path("texts/read-me.txt").write_text("no picture")
    Path("note.jpg").write_text("no picture")
    Path("nothing.jpg").touch()
    for words in (["analyze", name], ["ask", name, "why?"]):
        result = no_models(*words, "--json", piped=b"no picture")
        assert result.exit_code == 1, result.output
        error = json.loads(result.stdout)["error"]
        assert error["code"] == code
        assert error["hint"]


def test_a_file_that_may_not_be_read_is_told_before_any_model_is_loaded(
    no_models: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (locked := tmp_path / "locked.png").write_bytes(FACE)
    locked.chmod(0)
    if os.geteuid() == 0:  # root may read everything: the refusal is made here

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    result = no_models("analyze", locked)
    assert result.exit_code == 1
    assert "may not be read" in result.stderr


def test_a_folder_gives_its_pictures_and_those_of_its_subfolders(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    folder_of(tmp_path / "in", "b.png", "a.png", ".hidden.png")
    folder_of(tmp_path / "in" / "deep", "c.png")
    (tmp_path / "in" / "notes.txt").write_text("passed over")
    result = run("analyze", tmp_path / "in", "--json", "--no-explain")
    assert result.exit_code == 0, result.output
    assert [Path(file).name for file in told(result)] == ["a.png", "b.png", "c.png"]


def test_a_quoted_pattern_gives_what_it_matches(run: Callable[..., Result], tmp_path: Path) -> None:
    folder_of(tmp_path / "one", "a.png", "b.png")
    folder_of(tmp_path / "two", "c.png")
    result = run("analyze", tmp_path / "*" / "[ac].png", "--json", "--no-explain")
    assert [Path(file).name for file in told(result)] == ["a.png", "c.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    folder_of(tmp_path, "a[1].png", "a1.png")
    result = run("analyze", tmp_path / "a[1].png", "--json", "--no-explain")
    assert [Path(file).name for file in told(result)] == ["a[1].png"]


def test_a_minus_reads_standard_input(run: Callable[..., Result]) -> None:
    result = run("analyze", "-", "--json", "--no-explain", piped=FACE)
    assert result.exit_code == 0, result.output
    assert told(result)["-"]["status"] == "analysed"


def test_failures_do_not_end_the_others_and_the_last_line_counts_them(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    folder_of(tmp_path, "a.png", "z.png")
    (tmp_path / "cut.png").write_bytes(FACE[: len(FACE) // 2])
    (tmp_path / "blank.png").write_bytes(png(np.full((120, 160, 3), 70, np.uint8)))
    files = [tmp_path / name for name in ("a.png", "cut.png", "blank.png", "gone.png", "z.png")]
    result = run("analyze", *files, "--no-explain")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last == "5 files: 2 analysed, 2 failed, 1 without a face."


def test_a_fault_of_ours_ends_one_file_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Broken(SkinFaceFinder):
        def find(self, image):
            if image.shape[1] == 77:
                raise RuntimeError("a fault of ours")
            return super().find(image)

    monkeypatch.setattr("assistant.compose.build", lambda *_, **__: demo_assistant(finder=Broken()))
    folder_of(tmp_path, "good.png")
    (tmp_path / "bad.png").write_bytes(png(np.full((60, 77, 3), 70, np.uint8)))
    words = ["analyze", str(tmp_path / "bad.png"), str(tmp_path / "good.png"), "--json"]
    result = CliRunner().invoke(main, [*words, "--no-explain"])
    bad, good = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert bad["error"]["code"] == "broke-off"
    assert "a fault of ours" not in result.stdout
    assert good["status"] == "analysed"


def test_time_left_is_told_for_more_than_three_files(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    folder_of(tmp_path, "a.png", "b.png", "c.png")
    assert "/3" not in run("analyze", tmp_path, "--no-explain").stderr
    folder_of(tmp_path, "d.png")
    assert "4/4" in run("analyze", tmp_path, "--no-explain").stderr


@pytest.mark.parametrize("card", ["card.jpg", "absent/card.png", "folder.png", "full/card.png"])
def test_a_card_that_cannot_be_written_is_told_before_any_model_is_loaded(
    no_models: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: str
) -> None:
    folder_of(tmp_path, "face.png")
    (tmp_path / "folder.png").mkdir()
    full = tmp_path / "full"
    full.mkdir(mode=0o500)
    if os.geteuid() == 0:  # root may write everywhere: the refusal is made here
        real = Path.write_bytes

        def write(path: Path, data: bytes) -> int:
            if path.parent == full:
                raise PermissionError(13, "Permission denied")
            return real(path, data)

        monkeypatch.setattr(Path, "write_bytes", write)
    result = no_models("analyze", tmp_path / "face.png", "--card", tmp_path / card)
    assert result.exit_code in {1, 2}
    assert "card" in result.stderr
    full.chmod(0o700)


def test_a_card_that_fails_later_loses_nothing_of_the_analysis(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cards = tmp_path / "cards"

    class Vanishing(SkinFaceFinder):
        """Takes the folder of the card away while the picture is analysed."""

        def find(self, image):
            shutil.rmtree(cards, ignore_errors=True)
            return super().find(image)

    monkeypatch.setattr(
        "assistant.compose.build", lambda *_, **__: demo_assistant(finder=Vanishing())
    )
    folder_of(tmp_path, "face.png")
    for words in ([], ["--json"]):
        cards.mkdir()
        command = ["analyze", str(tmp_path / "face.png"), "--card", str(cards / "card.png")]
        result = CliRunner().invoke(main, [*command, *words])
        assert result.exit_code == 1
        assert "probability" in result.stdout
        assert "The card cannot be written" in result.stderr


@pytest.mark.parametrize("command", [["serve"], ["api", "serve"]])
def test_a_port_that_is_taken_is_told_before_any_model_is_loaded(
    no_models: Callable[..., Result], command: list[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        port = other.getsockname()[1]
        result = no_models(*command, "--host", "127.0.0.1", "--port", port)
    assert result.exit_code == 1
    assert f"The port {port} of 127.0.0.1 is taken" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1"])
def test_a_host_that_is_not_this_machine_is_told(
    no_models: Callable[..., Result], host: str
) -> None:
    result = no_models("serve", "--host", host, "--port", 7999)
    assert result.exit_code == 1
    assert "is no address of this machine" in result.stderr
