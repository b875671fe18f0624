from __future__ import annotations

import pytest

from assistant.citations import with_cites
from assistant.evidence.amounts import amounts, matches
from assistant.grounding import split


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("The lift is 2.8 times. Next.", ["The lift is 2.8 times.", "Next."]),
        ("Regions, e.g. the mouth, stand out.", ["Regions, e.g. the mouth, stand out."]),
        ("See approx. 93 percent.", ["See approx. 93 percent."]),
        ("- first item\n- second item", ["first item", "second item"]),
        ("1. first item\n2) second item", ["first item", "second item"]),
        ("## Title\nText.", ["Title", "Text."]),
        ("**Bold** and *thin* words.", ["Bold and thin words."]),
        ("a\n\n---\n\nb", ["a", "b"]),
        ("no full stop", ["no full stop"]),
        ("", []),
        (" .. ! ", []),
        ("It is “no sign found”.", ['It is "no sign found".']),
        ('He said "Wait. Stop." twice.', ['He said "Wait. Stop." twice.']),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
    ],
)
def test_text_is_split_into_sentences(text: str, bodies: list[str]) -> None:
    assert [piece.body for piece in split(text)] == bodies


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        ("A fact [S1].", [("S1",)]),
        ("A fact [S1][R2].", [("S1", "R2")]),
        ("A fact [S1, R2 and Q1].", [("S1", "R2", "Q1")]),
        ("A fact (S1).", [("S1",)]),
        ("A fact. [S1] Another. [R1]", [("S1",), ("R1",)]),
        ("A fact [s1].", [("S1",)]),
        ("A list [1].", [()]),
        ("[S1]", []),
    ],
)
def test_citations_are_read(text: str, cites: list[tuple[str, ...]]) -> None:
    assert [piece.cites for piece in split(text)] == cites


def test_citations_stand_before_the_full_stop() -> None:
    assert with_cites("It is so.", ("S1", "R2")) == "It is so [S1][R2]."
    assert with_cites("It is so", ("S1",)) == "It is so [S1]"
    assert with_cites("It is so.", ()) == "It is so."


@pytest.mark.parametrize(
    ("text", "share", "good"),
    [
        ("93%", 0.934, True),
        ("93%", 0.936, False),
        ("93.4 percent", 0.934, True),
        ("93.5%", 0.934, False),
        ("0.93", 0.934, True),
        ("0.9", 0.934, True),
        ("0.95", 0.934, False),
        ("over 90%", 0.934, True),
        ("over 95%", 0.934, False),
        ("over 10%", 0.934, False),
        ("under 1%", 0.003, True),
        ("about 92%", 0.934, True),
        ("about 90%", 0.934, False),
        ("93 points", 0.93, False),
        ("93", 0.93, False),
        ("93 in 100", 0.93, True),
    ],
)
def test_numbers_match_to_the_digits_they_are_written_with(
    text: str, share: float, good: bool
) -> None:
    (amount,) = amounts(text)

    assert matches(amount, share) is good


def test_numbers_inside_words_are_not_numbers() -> None:
    assert amounts("C2PA and R2D2") == []
    assert [a.value for a in amounts("1,024 px and 12.5 x")] == [1024.0, 12.5]
