from __future__ import annotations

import pytest

from assistant.routing import QuestionKind
from assistant.vlm.composition import to_the_point
from tests.unit.grounding import cases


@pytest.mark.parametrize(
    ("kind", "question", "first", "without"),
    [
        (None, "", ["S2", "S1"], "P1"),
        (QuestionKind.VERDICT, "Is it fake?", ["S2", "S1", "L1"], "R1"),
        (QuestionKind.QUALITY, "Is it sharp?", ["Q1"], "R1"),
        (QuestionKind.WHERE, "What about the mouth?", ["R1"], "S1"),
        (QuestionKind.PROVENANCE, "Any EXIF?", ["P1"], "R1"),
    ],
)
def test_the_facts_to_the_point_come_first_and_each_once(
    kind: QuestionKind | None, question: str, first: list[str], without: str
) -> None:
    chosen = [fact.id for fact in to_the_point(cases.manipulated(), kind, question).facts]

    assert chosen[: len(first)] == first
    assert without not in chosen
    assert len(set(chosen)) == len(chosen) <= 9


def test_every_kind_of_question_has_facts_where_the_case_has_some() -> None:
    for kind in QuestionKind:
        assert to_the_point(cases.uncertain(), kind, "?").facts, kind
