"""What every kind of fact keeps, tried on an example or more of each."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

import assistant.evidence
from assistant.evidence import KINDS, CueFact, Evidence, Fact
from assistant.grounding import check
from assistant.types import SentenceStatus, Verdict
from tests.unit.evidence.examples import EXAMPLES

BY_NAME = [(f"{type(fact).__name__}-{i}", fact) for i, fact in enumerate(EXAMPLES)]
every_fact = pytest.mark.parametrize("fact", [f for _, f in BY_NAME], ids=[n for n, _ in BY_NAME])


def alone(fact: Fact) -> Evidence:
    return Evidence(
        media_id="a" * 64,
        face_index=0,
        verdict=Verdict.UNCERTAIN,
        probability=0.5,
        interval=(0.4, 0.6),
        facts=(fact,),
    )


def test_each_kind_has_an_example_and_no_kind_is_missing() -> None:
    made = {name for name in dir(assistant.evidence) if name.endswith("Fact") and name != "Fact"}

    assert {type(fact) for fact in EXAMPLES} == set(KINDS)
    assert {kind.__name__ for kind in KINDS} == made


@every_fact
def test_a_fact_says_itself_in_whole_sentences_on_one_line(fact: Fact) -> None:
    for sentence in fact.all_said():
        assert sentence.endswith("."), sentence
        assert not re.search(r"\s\s|[{}\n]", sentence), sentence


def test_several_places_differ_and_one_differs() -> None:
    told = [fact.text for fact in EXAMPLES if isinstance(fact, CueFact)]

    assert any("The cheeks differ from the skin" in text for text in told)
    assert any("the mouth differs from the skin" in text for text in told)
    assert not any("dB" in text for text in told)


@every_fact
def test_every_sentence_of_a_fact_is_supported_by_it(fact: Fact) -> None:
    languages = [s for language in ("de", "es") for s in fact.abroad(language)]
    for sentence in (*fact.all_said(), *languages):
        for found in check(sentence, alone(fact)):
            assert found.status is SentenceStatus.SUPPORTED, (sentence, found.reason)
            assert found.cites == (fact.id,)


@every_fact
def test_no_sentence_is_one_that_says_more_than_another_fact_of_its_kind(fact: Fact) -> None:
    others = [f for f in EXAMPLES if type(f) is type(fact) and f.text != fact.text]
    for other in others:
        found = check(fact.text, alone(replace(other)))
        assert not all(s.status is SentenceStatus.SUPPORTED for s in found), (fact, other)


@every_fact
def test_what_a_fact_says_goes_into_json(fact: Fact) -> None:
    assert json.loads(json.dumps(fact.values())) is not None
    for language in ("de", "es"):
        assert all(s.endswith(".") and "{" not in s for s in fact.abroad(language))


@every_fact
def test_a_fact_of_another_letter_is_refused(fact: Fact) -> None:
    with pytest.raises(ValueError, match="expected an id such as"):
        replace(fact, id="X1")
