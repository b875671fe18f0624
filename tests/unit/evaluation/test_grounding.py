"""The table of true and false sentences, and what the check makes of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from assistant.cli.eval_words import grounding
from assistant.evaluation.grounding import TABLE, Judged, cases, judged, summary
from assistant.grounding import check
from assistant.types import SentenceStatus
from tests.unit.grounding.table import NEVER_SUPPORTED

HOSTILE = [
    (case, said) for case, text in NEVER_SUPPORTED.items() for said in text.split("\n") if said
]


@pytest.fixture(scope="module")
def found() -> list[Judged]:
    return judged()


def test_half_of_the_sentences_are_true_and_half_are_of_small_models(found: list[Judged]) -> None:
    assert Counter((j.written_by, j.true) for j in found) == {
        (writer, true): 30 for writer in ("small", "large") for true in (True, False)
    }
    assert len({(j.case, j.sentence) for j in found}) == 120


def test_nothing_false_is_supported_and_hardly_anything_true_is_contradicted(
    found: list[Judged],
) -> None:
    result = summary(found)

    assert [j.sentence for j in found if not j.true and j.status == "supported"] == []
    assert result["true_contradicted"] <= 0.02 * 60, [
        j.sentence for j in found if j.true and j.status == "contradicted"
    ]
    # a small model's true sentences are not lost
    assert result["counts"]["true, small"]["supported"] >= 27


def test_a_table_that_says_the_opposite_is_found_out(tmp_path: Path) -> None:
    lines = TABLE.read_text("utf-8").splitlines()
    swapped = [
        line.replace("|1|", "|x|").replace("|0|", "|1|").replace("|x|", "|0|") for line in lines
    ]
    (tmp_path / "table.csv").write_text("\n".join(swapped), "utf-8")

    result = summary(judged(tmp_path / "table.csv"))
    assert result["false_supported"] > 30
    assert result["true_contradicted_share"] > 0.5


@pytest.mark.parametrize(("case", "sentence"), HOSTILE)
def test_what_no_fact_says_is_never_supported(case: str, sentence: str) -> None:
    for found in check(sentence, cases()[case]):
        assert found.status is not SentenceStatus.SUPPORTED, found


def test_the_command_prints_both_limits_and_writes_every_sentence(tmp_path: Path) -> None:
    out = tmp_path / "grounding.json"
    told = CliRunner().invoke(grounding, ["--out", str(out)])

    assert told.exit_code == 0
    assert "let through as supported: 0 (must be 0)" in told.output
    assert len(json.loads(out.read_text("utf-8"))["table"]) == 120
