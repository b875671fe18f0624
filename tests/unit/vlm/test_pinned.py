from __future__ import annotations

import pytest

from assistant.evidence import ScoreFact, VerdictFact
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


def test_a_sentence_holds_the_numbers_of_the_facts_that_it_cites() -> None:
    rules = dict(
        line.split(" ::= ", 1) for line in pinned_grammar((SCORE, VERDICT)).strip().splitlines()
    )

    assert rules["number-0"] == '"("? ("74%" | "50%" | "87%") tail'
    assert rules["tell-1"].endswith('" [S2]."')
    assert "number-0" not in rules["tell-1-word"]
    assert "number-0" in rules["both-0-word"]
    assert rules["both-0"].endswith('" [S1][S2]."')
    assert rules["after-1"] == '""', "each fact is told at most once"
    assert pinned_grammar(()) == ""


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
