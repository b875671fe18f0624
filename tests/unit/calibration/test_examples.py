"""The index of examples: what is near, what is said of it, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assistant.calibration.examples import Example, ExampleIndex, load_examples
from assistant.errors import InferenceError, TrainingError, WeightsError
from assistant.evidence import similar_fact
from assistant.grounding import check
from assistant.types import SentenceStatus, SimilarCases, Trace, Verdict
from tests.unit.grounding.cases import evidence_of

SHA = "ab" * 32
RNG = np.random.default_rng(4)
CENTRES = {"one": RNG.normal(0, 1, 16), "two": RNG.normal(0, 1, 16), "three": RNG.normal(0, 1, 16)}


def example(person, manipulated, verdict):
    return Example(
        name="mouth exchanged" if manipulated else "untouched",
        person=person,
        manipulated=manipulated,
        probability=0.5,
        verdict=verdict,
    )


def index(people=("one", "two", "three")):
    """Of each person two manipulated and two untouched examples; person one is always misjudged."""
    rows, examples = [], []
    for person in people:
        for manipulated in (True, True, False, False):
            right = Verdict.LIKELY_MANIPULATED if manipulated else Verdict.LIKELY_REAL
            wrong = Verdict.LIKELY_REAL if manipulated else Verdict.LIKELY_MANIPULATED
            examples.append(example(person, manipulated, wrong if person == "one" else right))
            rows.append(CENTRES[person] + RNG.normal(0, 0.05, 16))
    return ExampleIndex(np.array(rows), examples, weights_sha256=SHA, source="drawn")


def trace(feature):
    tokens = np.stack([np.stack([feature[:8], feature[8:], feature[8:]])]).astype(np.float32)
    return Trace(logit=0.0, layers=(), grid=(1, 2), tokens=tokens)


def test_the_nearest_are_those_of_the_person_that_is_alike():
    found = index().nearest(trace(CENTRES["one"]))
    assert 4 <= len(found.nearest) <= 5
    assert [case.right for case in found.nearest[:4]] == [False] * 4
    assert found.examples == 12
    assert found.people == 3
    distances = [case.distance for case in found.nearest]
    assert distances == sorted(distances)
    assert distances[-1] <= 1.0


def test_a_face_unlike_all_has_no_neighbours_and_the_fact_says_so():
    found = index().nearest(trace(np.full(16, 60.0)))
    assert found.nearest == ()
    assert found.distance > 1.0
    fact = similar_fact(1, found)
    assert fact.id == "E1"
    assert "None of the 12 examples" in fact.text
    assert fact.values["near"] == 0


def test_the_picture_itself_is_no_other_case():
    made = index()
    found = made.nearest(trace(made._raw[0]))
    assert all(case.distance > 0.02 for case in found.nearest)


def test_the_fact_counts_right_and_wrong_and_says_how_little_it_tells():
    fact = similar_fact(1, index().nearest(trace(CENTRES["one"])))
    assert fact.values["wrong"] == 4
    assert "called" in fact.text
    assert "4 wrong" in fact.text
    assert "only 12 examples of 3 people, so this says little." in fact.text


def test_no_verdict_is_neither_right_nor_wrong():
    cases = [example(p, m, Verdict.UNCERTAIN) for p in ("a", "b") for m in (True, False)] * 2
    made = ExampleIndex(RNG.normal(0, 1, (8, 16)), cases, weights_sha256=SHA)
    found = made.nearest(trace(made._raw.mean(0)))
    assert all(case.right is None for case in found.nearest)
    fact = similar_fact(1, found)
    if found.nearest:
        assert f"gave no verdict on {len(found.nearest)}" in fact.text
        assert "right" not in fact.text


def test_the_worth_is_high_where_neighbours_fare_alike_and_none_where_all_fare_alike():
    rows, cases = [], []
    for i in range(40):
        hard = i % 2 == 0
        rows.append((CENTRES["one"] if hard else CENTRES["two"]) + RNG.normal(0, 0.3, 16))
        verdict = Verdict.LIKELY_REAL if hard else Verdict.LIKELY_MANIPULATED
        cases.append(example(f"person {i}", True, verdict))
    cases[3] = example("person 3", False, Verdict.LIKELY_REAL)
    count, auroc = ExampleIndex(np.array(rows), cases, weights_sha256=SHA).worth()
    assert count == 40
    assert auroc > 0.95
    strange = ExampleIndex(RNG.normal(0, 1, (40, 16)), cases, weights_sha256=SHA).worth()
    assert strange[1] < 0.8
    same = [example(c.person, c.manipulated, Verdict.UNCERTAIN) for c in cases]
    assert ExampleIndex(np.array(rows), same, weights_sha256=SHA).worth() is None


def test_saved_and_read_it_says_the_same(tmp_path):
    made = index()
    path = tmp_path / "examples.safetensors"
    made.save(path)
    again = load_examples(path)
    assert again.weights_sha256 == SHA
    for person, centre in CENTRES.items():
        first, second = made.nearest(trace(centre)), again.nearest(trace(centre))
        assert [c.right for c in first.nearest] == [c.right for c in second.nearest], person
        assert first.distance == pytest.approx(second.distance)
    assert b"three" not in path.read_bytes()  # people are numbers in the file


@pytest.mark.parametrize("content", [b"", b"no safetensors", None])
def test_a_damaged_index_is_a_typed_error(tmp_path, content):
    path = tmp_path / "examples.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        load_examples(path)
    assert caught.value.code == "weights-examples"
    assert "whyfake index build" in caught.value.hint


@pytest.mark.parametrize(
    ("people", "outcomes"), [(("one",), (True, False)), (("one", "two"), (True, True))]
)
def test_too_little_makes_no_index(people, outcomes):
    cases = [example(p, m, Verdict.UNCERTAIN) for p in people for m in outcomes for _ in range(4)]
    with pytest.raises(TrainingError):
        ExampleIndex(RNG.normal(0, 1, (len(cases), 16)), cases, weights_sha256=SHA)


def test_a_feature_that_is_not_finite_makes_no_index():
    cases = [example(p, m, Verdict.UNCERTAIN) for p in ("a", "b") for m in (True, False)] * 2
    rows = RNG.normal(0, 1, (8, 16))
    rows[0, 0] = np.nan
    with pytest.raises(TrainingError):
        ExampleIndex(rows, cases, weights_sha256=SHA)


@pytest.mark.parametrize("tokens", [None, np.zeros((1, 3, 5), np.float32)])
def test_a_trace_that_does_not_fit_is_a_typed_error(tokens):
    strange = Trace(logit=0.0, layers=(), grid=(1, 2), tokens=tokens)
    with pytest.raises(InferenceError) as caught:
        index().nearest(strange)
    assert caught.value.code == "example-features"


NEAR = SimilarCases(nearest=index().nearest(trace(CENTRES["one"])).nearest[:4], distance=0.1,
                    examples=12, people=3)  # fmt: skip
NONE = SimilarCases(nearest=(), distance=2.0, examples=12, people=3)
#: Sentences with the status each must get: + supported, - contradicted.
SAID = {
    NEAR: """
+ Of the 4 nearest examples in the index, 2 are manipulated.
+ The detector called 4 of the nearest examples wrong.
+ Of the nearest examples in the index, two are manipulated.
+ The index holds 12 examples of 3 people, so this says little.
- Of the 4 nearest examples in the index, 3 are manipulated.
- The detector called 4 of the nearest examples right.
- Of the 5 nearest examples in the index, 2 are manipulated.
- Nothing can be said of similar cases.
- The index holds 90 examples.
""",
    NONE: """
+ Nothing can be said of similar cases.
+ None of the 12 examples in the index is near this face.
- Of the 4 nearest examples in the index, 2 are manipulated.
""",
}


@pytest.mark.parametrize(
    ("found", "line"), [(f, line) for f, t in SAID.items() for line in t.strip().splitlines()]
)
def test_what_is_said_of_examples_is_checked(found, line):
    evidence = evidence_of(0.93, (0.88, 0.97), extra=(similar_fact(1, found),))
    (sentence,) = check(line[2:], evidence)
    wanted = {"+": SentenceStatus.SUPPORTED, "-": SentenceStatus.CONTRADICTED}[line[0]]
    assert sentence.status is wanted, sentence.reason
    assert sentence.cites == ("E1",)


@pytest.mark.parametrize("found", [NEAR, NONE])
def test_the_facts_own_sentence_stands_up(found):
    fact = similar_fact(1, found)
    evidence = evidence_of(0.93, (0.88, 0.97), extra=(fact,))
    assert evidence["E1"].text == fact.text
    (sentence,) = check(fact.text, evidence)
    assert sentence.status is SentenceStatus.SUPPORTED
    assert json.dumps(dict(fact.values))


def test_without_an_index_nothing_of_examples_is_supported():
    (sentence,) = check(
        "Of the 5 nearest examples in the index, 4 are manipulated.",
        evidence_of(0.93, (0.88, 0.97)),
    )
    assert sentence.status is not SentenceStatus.SUPPORTED
