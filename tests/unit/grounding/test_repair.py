"""Struck sentences: written again once, else the fact they named, else left struck."""

from __future__ import annotations

from assistant.grounding import check, is_enough, mendable, rewritten, shown_text, with_facts
from assistant.grounding.sentences import split
from assistant.types import SentenceStatus
from tests.unit.grounding import cases

CASE = cases.manipulated()
TEXT = (
    "The verdict is likely manipulated [S2]. The skin looks waxy [R1]. "
    "The score is 42% [S1]. The verdict is likely manipulated [S2]."
)


def test_only_what_is_wrong_is_mended_and_not_more_than_asked_for() -> None:
    sentences = check(TEXT, CASE)

    assert mendable(sentences, most=3) == (1, 2)  # the last one was said before
    assert mendable(sentences, most=1) == (1,)


def test_a_text_of_which_nothing_stands_up_is_not_mended() -> None:
    assert mendable(check("The lips look waxy. Nice weather.", CASE), most=3) == ()


def test_a_sentence_written_again_is_shown_with_its_own_ground() -> None:
    sentences = check(TEXT, CASE)
    mended = rewritten(sentences, 1, "Sure! The mouth stands out, with 34% of the map.", CASE)

    assert mended[1].rewritten
    assert mended[1].text == sentences[1].text
    assert mended[1].status is SentenceStatus.UNSUPPORTED
    assert "34% of the map [R1]" in shown_text(mended)
    assert is_enough(mended)


def test_what_is_wrong_again_or_says_nothing_new_changes_nothing() -> None:
    sentences = check(TEXT, CASE)

    for text in ("The skin is smooth.", "", "The verdict is likely manipulated.", "Good question."):
        assert rewritten(sentences, 1, text, CASE) == sentences


def test_a_fact_stands_in_for_a_sentence_that_named_it() -> None:
    shown = with_facts(check(TEXT, CASE), CASE)

    assert shown[1].replacement == f"{CASE['R1'].text[:-1]} [R1]."
    assert not shown[1].rewritten
    assert CASE["R1"].text[:-1] in shown_text(shown)
    assert "waxy" not in shown_text(shown)


def test_every_sentence_of_a_fact_that_stands_in_names_it() -> None:
    case = cases.uncertain()
    text = "The verdict is uncertain [S2]. The detector adores this face [S1]."
    told = with_facts(check(text, case), case)[1].replacement

    assert len(split(told)) == len(split(case["S1"].text)) > 1
    assert all(piece.cites == ("S1",) for piece in split(told))
    assert [s.status for s in check(told, case)] == [SentenceStatus.SUPPORTED] * len(split(told))


def test_a_fact_that_is_told_is_not_told_again() -> None:
    text = "The mouth stands out, with 34% of the map [R1]. The mouth looks waxy [R1]."
    shown = with_facts(check(text, CASE), CASE)

    assert not shown[1].replacement
    assert shown_text(shown).count("[R1]") == 1


def test_a_sentence_without_ground_is_left_struck() -> None:
    text = "The verdict is likely manipulated [S2]. The lips look waxy."

    assert not with_facts(check(text, CASE), CASE)[1].replacement
