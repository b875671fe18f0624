"""Forty questions as people put them, asked of the template about drawn cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import TrainingError
from assistant.evaluation.questions import ask_all, read_questions
from assistant.fakes import demo_assistant
from assistant.routing import route
from tests.unit.ui.cases import nose_case, with_causes

LIST = Path(__file__).parents[3] / "configs" / "questions.yaml"
WORDINGS = Path(__file__).parents[3] / "configs" / "router"


@pytest.mark.parametrize("logit", [2.2, 0.0, -2.5])
def test_forty_questions_get_an_answer_that_fits(logit: float) -> None:
    questions = read_questions(LIST)
    result = with_causes(nose_case(logit))
    found = ask_all(demo_assistant(), [("case", result)], questions)

    assert len(found) == 40
    assert [(one.question, one.problem) for one in found if one.problem] == []


def test_the_router_was_not_trained_on_them() -> None:
    known = "\n".join(path.read_text("utf-8") for path in WORDINGS.glob("*.txt")).lower()
    lines = {part.strip(" ?!.") for line in known.splitlines() for part in line.split("|")}
    seen = [q.ask for q in read_questions(LIST) if q.ask.lower().strip(" ?!.") in lines]
    assert len(seen) <= 8, seen  # the plainest wordings are in any list


def test_an_answer_that_does_not_fit_is_told_to_be_so(tmp_path: Path) -> None:
    asked = tmp_path / "asked.yaml"
    asked.write_text(
        "- {ask: 'how old is she?', facts: S}\n"
        "- {ask: 'why?', refused: identity}\n"
        "- {ask: 'why?', one_sentence: true}\n"
        "- {ask: 'do you keep my photo', facts: P, about: court}\n"
    )
    found = ask_all(demo_assistant(), [("case", nose_case())], read_questions(asked))
    problems = [one.problem for one in found]
    assert problems[0] == "refused as traits"
    assert problems[1] == "not refused"
    assert problems[2].endswith("sentences where one was asked for")
    assert problems[3] == "neither cites P nor tells of court"


@pytest.mark.parametrize(
    "text", ["- {ask: x, facts: Z}", "- {ask: x, about: nothing-known}", "- 3"]
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(text)
    with pytest.raises(TrainingError, match="cannot be used"):
        read_questions(broken)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("where is it edited", "where"),
        ("is this the real Elon Musk", "person"),
        ("so 3 in 10 chance its real?", "how sure"),
        ("what are the reasons to doubt this", "could be wrong"),
        ("and face 2?", "beyond"),
    ],
)
def test_slang_goes_where_it_belongs(question: str, kind: str) -> None:
    assert route(question).kind.value == kind
