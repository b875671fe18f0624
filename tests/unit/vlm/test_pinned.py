from __future__ import annotations

import pytest

from assistant.evidence import NotProofFact, ScoreFact, VerdictFact
from assistant.types import Verdict
from assistant.vlm.pinned import Pinned, numbers_in, pinned_grammar
from tests.unit.grounding import cases

SCORE = ScoreFact(id="S1", probability=0.74, low=0.5, high=0.87)
VERDICT = VerdictFact(
    id="S2",
    verdict=Verdict.LIKELY_MANIPULATED,
    probability=0.74,
    lower=0.4,
    upper=0.72,
    crosses=False,
)


def test_numbers_are_those_of_the_fact_with_their_units() -> None:
    assert numbers_in(SCORE) == ("74%", "50%", "87%")


def test_a_sentence_holds_the_numbers_of_the_fact_that_it_cites() -> None:
    rules = dict(
        line.split(" ::= ", 1) for line in pinned_grammar((SCORE, VERDICT)).strip().splitlines()
    )

    verdict = '(begin open-1-0 | "Likely manipulated" tail rest-1-0) " [S2]."'
    assert rules["tell-1"] == verdict, "the verdict is named"
    assert rules["open-1-2"] == '(" " word){0,22} (" " "likely manipulated" tail rest-1-2)'
    assert [number in rules["rest-0-0"] for number in ('"74%"', '"50%"', '"87%"')] == [True] * 3
    assert [number in rules["rest-0-2"] for number in ('"74%"', '"50%"', '"87%"')] == [
        False, False, True,
    ], "each number once, in their order"  # fmt: skip
    assert rules["rest-0-3"] == '(" " word){0,22}'
    assert '"87%"' not in "".join(rules[f"rest-1-{count}"] for count in range(3))
    assert rules["after-1"] == '""', "each fact is told at most once"
    assert pinned_grammar(()) == ""


def test_a_fact_that_is_needed_is_not_left_out() -> None:
    facts = (SCORE, VERDICT, NotProofFact(id="L1"))
    rules = dict(
        line.split(" ::= ", 1)
        for line in pinned_grammar(facts, needed={"S1", "S2"}).strip().splitlines()
    )

    assert rules["root"] == "tell-0 after-0"
    assert rules["after-0"] == '" " tell-1 after-1'
    assert rules["after-1"] == '" " tell-2 after-2 | ""'


def test_a_number_is_followed_by_one_space_whatever_its_unit() -> None:
    colour = cases.cue(
        "neck-colour",
        quantity="colour",
        value=5.31,
        unit="units of colour",
        places=("neck", "face"),
    )
    assert "5.31" in numbers_in(colour)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("The probability is 74%", True),
        ("The probability is 7", True),
        ("The probability is 7 ", False),
        ("The probability is 75", False),
        ("It is 74 percent", False),
        ("It is 74%. Next", True),
        ("It is 74%, so", True),
        ("It reaches 72% [S2", True),
        ("It reaches 72% [S2].", True),
        ("It reaches 72% [S3", False),
        ("It reaches 72% [likely", False),
        ("no number at all", True),
    ],
)
def test_a_rule_tells_what_may_be_written_so_far(text: str, good: bool) -> None:
    assert Pinned.of((SCORE, VERDICT)).allows(text) is good


def test_every_true_text_of_the_facts_is_allowed() -> None:
    evidence = cases.manipulated()
    pinned = Pinned.of(evidence.facts)

    for fact in evidence.facts:
        assert pinned.allows(f"{fact.text} [{fact.id}] ")
