from __future__ import annotations

import random
from dataclasses import replace
from math import log2

import pytest

from assistant.evaluation.explanation_choices import decided, decided_by_plan
from assistant.types import Explanation, Sentence, SentenceStatus
from assistant.vlm.composition.plan import Part, options, plan_for
from tests.unit.evaluation.analyses import analysis
from tests.unit.grounding import cases

PLAN = (
    Part(("The verdict is real.",)),
    Part(("It is low.", "It is small.", "It lies low.", "It stays low."), optional=True),
    (Part(("No proof.",)), Part(("A map is a map.",))),
)


@pytest.mark.parametrize(
    ("text", "bits", "words"),
    [
        # Four wordings or one of the pair at once: six ways. Then the pair's two orders.
        ("The verdict is real. It is small. No proof. A map is a map.", log2(6) + 1, 3 + 1),
        ("The verdict is real. A map is a map. No proof.", log2(6), 1),
    ],
)
def test_each_choice_counts_its_ways_and_the_words_that_tell_it_apart(
    text: str, bits: float, words: int
) -> None:
    assert decided_by_plan(PLAN, text) == (pytest.approx(bits), words)


def test_what_is_not_of_the_plan_is_told_apart() -> None:
    assert decided_by_plan(PLAN, "The verdict is fake.") is None
    assert decided_by_plan(PLAN, "The verdict is real.") is None, "the pair was not said"
    assert decided_by_plan((), "") == (0.0, 0)


def test_a_plan_without_a_choice_decides_nothing() -> None:
    assert decided_by_plan((Part(("One.",)), Part(("Two.",))), "One. Two.") == (0.0, 0)


def test_a_walk_through_a_case_is_counted_whole() -> None:
    evidence = cases.manipulated()
    rng, plan, said = random.Random(3), plan_for(evidence), []
    while (found := options(plan))[0]:
        text = rng.choice([*found[0]])
        said.append(text)
        plan = found[0][text]
    found_here = decided_by_plan(plan_for(evidence), " ".join(said))
    assert found_here is not None
    bits, words = found_here
    assert 1 < bits < 60
    assert 0 < words < sum(len(s.split()) for s in said)


def test_the_template_decides_nothing_and_free_text_is_the_models_own() -> None:
    result = analysis(cases.manipulated())
    kept = Sentence(text="The nose is dark.", status=SentenceStatus.SUPPORTED, cites=(), reason="")
    told = Explanation(
        text="The nose is dark. The verdict is real.",
        sentences=(kept, replace(kept, text="The verdict is real.", rewritten=True)),
        raw_text="",
        backend="x",
        prompt=None,
    )
    fixed, free = decided(result, told, "fixed"), decided(result, told, "free")
    assert fixed is not None
    assert free is not None
    assert (fixed.bits, fixed.own_words) == (0.0, 0.0)
    assert (free.bits, free.own_words) == (None, 0.5)
    fallen = decided(result, replace(told, fell_back=True), "free")
    assert fallen is not None
    assert fallen.own_words == 0.0
    assert decided(result, told, "structured") is None, "another case's text"
