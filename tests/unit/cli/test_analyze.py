"""``analyze`` and ``ask`` over working fakes: output, exit codes, files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from assistant.cli.main import main
from assistant.fakes import demo_assistant
from tests.drawn import drawn_faces, png

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "assistant" / "schema" / "analysis-1.json").read_text()
)
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("assistant.compose.build", lambda *_, **__: demo_assistant())
    return lambda *words: CliRunner().invoke(main, [str(w) for w in words])


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "face.png"
    path.write_bytes(png(drawn_faces()))
    return path


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.png"
    path.write_bytes(png(np.full((120, 160, 3), 70, np.uint8)))
    return path


def objects(result: Result) -> list[dict[str, object]]:
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for one in found:
        Draft202012Validator(SCHEMA).validate(one)
    return found


def test_the_answer_comes_first_in_ninety_words_and_the_rest_is_folded(
    run: Run, face: Path
) -> None:
    result = run("analyze", face)
    assert result.exit_code == 0, result.output
    name, *answer = result.stdout.splitlines()
    assert name == str(face)
    assert len(" ".join(answer).split()) <= 90
    assert "uncertain" in answer[0] or "likely manipulated" in answer[0] or "No sign" in answer[0]
    assert "[S1]" not in result.stdout
    assert "Explanation" not in result.stdout


def test_with_evidence_all_facts_the_map_and_the_explanation_are_printed(
    run: Run, face: Path
) -> None:
    result = run("analyze", face, "--evidence")
    assert result.exit_code == 0, result.output
    assert "interval" in result.stdout
    assert "mouth" in result.stdout
    assert "[S1]" in result.stdout
    told = " ".join(result.stdout.split())
    assert "found (written by template, each sentence checked" in told
    assert "Explanation" not in run("analyze", face, "--evidence", "--no-explain").stdout


def test_json_follows_the_schema_one_object_a_file(run: Run, face: Path, blank: Path) -> None:
    result = run("analyze", face, blank, "--json")
    analysed, nothing = objects(result)
    assert result.exit_code == 3
    assert analysed["status"] == "analysed"
    assert nothing["status"] == "no_face"
    assert "probability" not in json.dumps(nothing)


def test_fast_gives_the_same_score_and_verdict_and_nothing_that_explains_them(
    run: Run, face: Path
) -> None:
    (whole,) = objects(run("analyze", face, "--json"))
    result = run("analyze", face, "--json", "--fast")
    (fast,) = objects(result)
    assert result.exit_code == 0
    (told,), (quick,) = whole["faces"], fast["faces"]  # type: ignore[misc]
    alike = ("probability", "interval", "verdict", "domain", "logit", "quality", "box_xyxy")
    assert {name: quick[name] for name in alike} == {name: told[name] for name in alike}
    assert (quick["map"], quick["regions"], quick["evidence"]) == (None, [], [])
    assert fast["explanation"] is None


def test_fast_says_verdict_probability_and_interval_in_a_line(
    run: Run, face: Path, blank: Path
) -> None:
    result = run("analyze", face, blank, "--fast")
    assert result.exit_code == 3
    line, *_ = result.stdout.splitlines()
    assert line.startswith(f"{face}: ")
    assert "% (interval " in line
    assert "No face was found" in result.stdout


def test_fast_makes_no_map(monkeypatch: pytest.MonkeyPatch, face: Path) -> None:
    from assistant.fakes import BrightnessDetector, MouthMap

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a map or a gradient was made")

    monkeypatch.setattr(MouthMap, "attribute", refuse)
    monkeypatch.setattr(BrightnessDetector, "trace", refuse)
    monkeypatch.setattr("assistant.compose.build", lambda *_, **__: demo_assistant())
    assert CliRunner().invoke(main, ["analyze", str(face), "--fast"]).exit_code == 0


@pytest.mark.parametrize("words", [["--card", "card.png"], ["--blind"]])
def test_fast_with_what_it_leaves_out_is_wrong_usage(
    run: Run, face: Path, words: list[str]
) -> None:
    assert run("analyze", face, "--fast", *words).exit_code == 2


def test_a_failed_file_ends_in_code_1_and_the_others_are_still_analysed(
    run: Run, face: Path, tmp_path: Path
) -> None:
    result = run("analyze", tmp_path / "absent.jpg", face, "--json")
    failed, analysed = objects(result)
    assert result.exit_code == 1
    assert failed["status"] == "failed"
    assert analysed["status"] == "analysed"


def test_no_face_ends_in_code_3(run: Run, blank: Path) -> None:
    assert run("analyze", blank).exit_code == 3


def test_no_paths_is_wrong_usage(run: Run) -> None:
    assert run("analyze").exit_code == 2


def test_the_card_is_a_picture_and_nothing_half_written_stays(run: Run, face: Path) -> None:
    card = face.parent / "card.png"
    result = run("analyze", face, "--card", card)
    assert result.exit_code == 0, result.output
    assert card.read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in face.parent.iterdir()) == ["card.png", "face.png"]


@pytest.mark.parametrize("name", ["card.jpg", "absent/card.png"])
def test_a_card_that_cannot_be_is_said_before_the_work(run: Run, face: Path, name: str) -> None:
    assert run("analyze", face, "--card", face.parent / name).exit_code == 2


def test_ask_answers_each_question_in_turn(run: Run, face: Path) -> None:
    result = run("ask", face, "why?", "how sure are you?", "--json")
    (asked,) = objects(result)
    assert result.exit_code == 0
    turns = asked["turns"]
    assert isinstance(turns, list)
    assert [t["question"] for t in turns] == ["why?", "how sure are you?"]
    assert all(t["text"] for t in turns)


def test_a_bad_question_fails_and_the_good_ones_are_kept(run: Run, face: Path) -> None:
    result = run("ask", face, "why?", "x" * 50_000, "--json")
    assert result.exit_code == 1
    (asked,) = objects(CliRunner().invoke(main, ["ask", str(face), "why?", "--json"]))
    assert len(asked["turns"]) == 1  # type: ignore[arg-type]


def test_an_unknown_example_names_those_there_are(run: Run) -> None:
    result = run("analyze", "--example", "mona-lisa")
    assert result.exit_code == 1
    assert "astronaut" in result.stderr
