from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.grounding import check, is_enough, shown_text
from assistant.routing import QuestionKind
from assistant.types import Evidence, SentenceStatus, Verdict
from assistant.vlm.composition import compose_answer, compose_explanation
from tests.unit.grounding import cases, table
from tests.unit.routing.asked import asked

CASES = {
    "manipulated": cases.manipulated(),
    "real": cases.real(),
    "uncertain": cases.uncertain(),
}
ROWS = [
    (name, sentence, status)
    for name, text in (
        ("manipulated", table.MANIPULATED),
        ("real", table.REAL),
        ("uncertain", table.UNCERTAIN),
    )
    for sentence, status in table.rows(text)
]
SEEDS = st.integers(min_value=0, max_value=2**32)


@pytest.mark.parametrize(("case", "sentence", "status"), ROWS)
def test_each_sentence_gets_its_status_and_a_reason(case: str, sentence: str, status: str) -> None:
    checked = check(sentence, CASES[case])

    assert [s.status.value for s in checked] == [status]
    if status == "supported":
        assert all(cite in {f.id for f in CASES[case].facts} for cite in checked[0].cites)
    else:
        assert checked[0].reason


_NUMBER = re.compile(r"\d+(?:\.\d+)?(?=%| in 100| times)")


def _is_measured(sentence: str) -> bool:
    """Not a name of a change or what a file says of itself, whose numbers are names."""
    return not re.search(r'JPEG|"|C2PA', sentence)


def _texts(evidence: Evidence, rng: random.Random) -> list[str]:
    questions = [rng.choice(asked(kind)) for kind in QuestionKind]
    return [
        *(compose_explanation(evidence, rng) for _ in range(2)),
        *(compose_answer(evidence, question, rng) for question in questions),
    ]


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_all_composed_text_is_supported_with_its_own_citations(seed: int) -> None:
    rng = random.Random(seed)
    evidence = cases.drawn(rng)

    for text in _texts(evidence, rng):
        for sentence in check(text, evidence):
            assert sentence.status is SentenceStatus.SUPPORTED, (sentence, evidence.to_prompt())
            assert sentence.reason == "", (sentence, evidence.to_prompt())


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_evidence_supports_itself(seed: int) -> None:
    evidence = cases.drawn(random.Random(seed))

    for fact in evidence.facts:
        for sentence in check(fact.text, evidence):
            assert sentence.status is SentenceStatus.SUPPORTED, (sentence, evidence.to_prompt())


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_another_verdict_is_contradicted(seed: int) -> None:
    rng = random.Random(seed)
    evidence = cases.drawn(rng)
    own = evidence.verdict.words
    others = [v.words for v in Verdict if v is not evidence.verdict]

    said = [f"The verdict is {own} [S2]."]
    for question in ("Is it fake?", "Is the voice fake?"):
        sentences = check(compose_answer(evidence, question, rng), evidence)
        said += [s.text for s in sentences if f"verdict is {own}" in s.text and s.cites == ("S2",)]
    for text in said:
        assert check(text, evidence)[0].status is SentenceStatus.SUPPORTED, text
        for other in others:
            found = check(text.replace(own, other, 1), evidence)[0]
            assert found.status is SentenceStatus.CONTRADICTED, (text, other, found)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(min_value=7, max_value=40))
def test_a_changed_number_is_contradicted(seed: int, step: int) -> None:
    rng = random.Random(seed)
    evidence = cases.drawn(rng)
    told = [s for s in check(compose_explanation(evidence, rng), evidence) if _is_measured(s.text)]
    assert any(_NUMBER.search(s.text) for s in told), "an explanation tells the score"
    for sentence in told:
        for match in _NUMBER.finditer(sentence.text):
            number = float(match[0])
            other = number + step if number + step < 99 else number - step
            shown = f"{other:.1f}" if "." in match[0] else f"{other:.0f}"
            changed = sentence.text[: match.start()] + shown + sentence.text[match.end() :]
            found = check(changed, evidence)[0]
            assert found.status is SentenceStatus.CONTRADICTED, (changed, found)
            assert found.replacement


def test_nothing_is_supported_by_evidence_without_facts() -> None:
    full = cases.manipulated()
    empty = Evidence(
        media_id=full.media_id,
        face_index=0,
        verdict=full.verdict,
        probability=full.probability,
        interval=full.interval,
        facts=(),
    )
    facts = [s for s, status in table.rows(table.MANIPULATED) if status == "supported"]
    about_the_case = [s for s in facts if re.search(r"\d|mouth|verdict|blur|likely|proof", s)]
    assert len(about_the_case) > 20
    for sentence in about_the_case:
        for found in check(sentence, empty):
            assert found.status is not SentenceStatus.SUPPORTED, sentence


def test_a_contradicted_sentence_is_shown_as_the_evidence_has_it() -> None:
    evidence = CASES["manipulated"]
    sentences = check("The verdict is no sign found [S2]. The mouth stands out [R1].", evidence)

    assert [s.status for s in sentences] == [
        SentenceStatus.CONTRADICTED,
        SentenceStatus.SUPPORTED,
    ]
    text = shown_text(sentences)
    assert "no sign found" not in text
    assert text == (
        "This face is likely manipulated: the probability, 93%, reaches 70%, the limit for that "
        "answer [S2]. "
        "The mouth stands out [R1]."
    )


def test_unsupported_sentences_are_not_shown() -> None:
    evidence = CASES["manipulated"]
    sentences = check("The mouth stands out. The lips look waxy. They are fake.", evidence)

    assert shown_text(sentences) == "The mouth stands out [R1]."
    assert not is_enough(sentences)


def test_enough_needs_half_of_the_sentences() -> None:
    evidence = CASES["manipulated"]

    assert is_enough(check("The mouth stands out. The lips look waxy.", evidence))
    assert is_enough(check("The mouth stands out. The light is warm. It is a portrait.", evidence))
    assert not is_enough(())
    assert not is_enough(check("Hello there, friend.", evidence))


def test_citations_are_added_corrected_and_checked() -> None:
    evidence = CASES["manipulated"]
    added, corrected, invented = check(
        "The mouth stands out. The score is 93% [Q1]. The verdict is likely manipulated [S2, X4].",
        evidence,
    )

    assert (added.cites, added.reason) == (("R1",), "citation added")
    assert (corrected.cites, corrected.reason) == (("S1",), "citation corrected")
    assert corrected.text == "The score is 93% [S1]."
    assert invented.status is SentenceStatus.UNSUPPORTED
    assert "X4" in invented.reason


def test_repeating_itself_is_struck_once_said() -> None:
    evidence = CASES["manipulated"]
    sentences = check("The verdict is likely manipulated [S2]. " * 50, evidence)

    assert [s.status for s in sentences[:2]] == [
        SentenceStatus.SUPPORTED,
        SentenceStatus.UNSUPPORTED,
    ]
    assert shown_text(sentences) == "The verdict is likely manipulated [S2]."


def test_at_most_sixty_sentences_are_read() -> None:
    text = " ".join(f"The score is {i}.5%." for i in range(80))
    sentences = check(text, CASES["manipulated"])

    assert len(sentences) == 80
    assert "60 sentences" in sentences[-1].reason


def test_then_refers_to_the_sentence_before() -> None:
    evidence = CASES["manipulated"]
    good = check(
        "Neutralising the mouth lowers the score to 61%. The verdict would then be uncertain.",
        evidence,
    )
    bad = check(
        "Neutralising the mouth lowers the score to 61%. The verdict would then be no sign found.",
        evidence,
    )

    assert [s.status.value for s in good] == ["supported", "supported"]
    assert [s.status.value for s in bad] == ["supported", "contradicted"]


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_gets_an_answer(text: str) -> None:
    sentences = check(text, CASES["manipulated"])

    assert all(s.reason for s in sentences if s.status is not SentenceStatus.SUPPORTED)


def test_a_very_long_text_is_checked_quickly() -> None:
    import time

    began = time.process_time()
    check("the score is 93% and " * 5000, CASES["manipulated"])
    assert time.process_time() - began < 2


def test_a_wrong_spread_beside_what_turns_the_verdict_is_contradicted() -> None:
    told = 0
    for seed in range(80):
        evidence = cases.drawn(random.Random(seed))
        card = next((f for f in evidence.facts if f.values().get("flips")), None)
        if card is None or card.values()["high"] > 0.9:
            continue
        low, high = float(card.values()["low"]), float(card.values()["high"])
        sentence = (
            "After {count} everyday changes of the file the score lies between {low:.0%} and "
            "{high:.0%}, and the verdict changes after {flip} [{id}]."
        )
        named = {"count": card.values()["count"], "flip": card.values()["flips"][0], "id": card.id}
        wrong = sentence.format(low=low, high=high + 0.08, **named)
        assert check(wrong, evidence)[0].status is SentenceStatus.CONTRADICTED, wrong
        told += 1
    assert told > 3


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("The probability is ninety-three percent [S1].", "number as words"),
        ("The mouth draws thirty four hundredths of the map [R1].", "number as words"),
        ("Nine in ten such faces are manipulated [S1].", "number as words"),
        ("The score is nine out of ten [S1].", "number as words"),
        ("The mouth draws a third of the map [R1].", "number as words"),
        ("The mouth holds twice as much detail [R1].", "number as words"),
        ("The verdict was likely manipulated on 3 March 2021 [S2].", "date"),
        ("The picture was altered in 2019 [S2].", "date"),
        ("Last year the face was likely manipulated [S2].", "date"),
        ("The face is that of Tom Hanks, likely manipulated [S2].", "names"),
    ],
)
def test_numbers_as_words_dates_and_names_are_caught(sentence: str, reason: str) -> None:
    (found,) = check(sentence, cases.manipulated())

    assert found.status is SentenceStatus.UNSUPPORTED
    assert reason in found.reason
    assert not shown_text((found,))
