from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.evidence import (
    ChangeFact,
    DomainFact,
    EffectFact,
    FramesFact,
    MissesFact,
    SmallestSetFact,
    SpreadFact,
    percent,
    renumbered,
)
from assistant.evidence.kind import kind_facts, named_kind
from assistant.grounding import check
from assistant.numbers import amount, in_hundred, points, reach
from assistant.types import (
    FactKind,
    SentenceStatus,
    TrackRecord,
    Verdict,
)
from tests.unit.evidence.examples import MISSES, TOLD
from tests.unit.grounding.cases import drawn, evidence_of, manipulated

FAKE, UNSURE, REAL = Verdict.LIKELY_MANIPULATED, Verdict.UNCERTAIN, Verdict.NO_SIGN


def test_the_score_is_told_with_its_interval() -> None:
    fact = manipulated()["S1"]

    assert fact.text == (
        "The probability that this face was manipulated is 93%, between 88% and 97%."
    )
    assert fact.values()["probability"] == 0.934
    assert (fact.values()["low"], fact.values()["high"], fact.values()["width"]) == (
        0.88,
        0.97,
        "narrow",
    )


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (
            0.9,
            "This face is likely manipulated: the probability, 90%, reaches 70%, the limit for "
            "that answer.",
        ),
        (
            0.1,
            "No sign of manipulation was found: the probability, 10%, is below 30%, the limit for "
            "that answer.",
        ),
        (
            0.5,
            "It is uncertain whether this face was manipulated: the probability, 50%, lies between "
            "30% and 70%, too high for no sign found and too low for likely manipulated.",
        ),
    ],
)
def test_the_verdict_is_told_with_its_threshold(probability: float, text: str) -> None:
    evidence = evidence_of(probability, (probability, probability))

    assert evidence["S2"].text == text
    assert evidence["S2"].values()["crosses"] is False


def test_an_interval_that_crosses_a_threshold_makes_a_close_case() -> None:
    fact = evidence_of(0.72, (0.6, 0.8))["S2"]

    assert fact.values()["crosses"] is True
    assert "the case is close" in fact.text


def test_a_score_that_rounds_to_a_threshold_is_told_more_exactly() -> None:
    evidence = evidence_of(0.698, (0.6, 0.75))

    assert "69.8%" in evidence["S1"].text
    assert "70.0%" in evidence["S2"].text
    assert evidence.verdict is UNSURE


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "under 1%"), (0.004, "under 1%"), (0.006, "1%"), (0.5, "50%"), (1.0, "over 99%")],
)
def test_a_percentage_never_sounds_certain(share: float, text: str) -> None:
    assert percent(share) == text
    assert "100" not in in_hundred(share).removesuffix("in 100")


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.88, 0.97, "88% to 97%"),
        (0.0, 0.03, "under 1% to 3%"),
        (0.0, 0.004, ""),
        (0.996, 1.0, ""),
        (0.121, 0.124, ""),
    ],
)
def test_two_ends_that_read_alike_are_no_interval(low: float, high: float, text: str) -> None:
    fact = evidence_of(low, (low, high))["S1"]

    assert reach(low, high) == text
    assert ("between" in fact.text) is bool(text)
    assert not any("interval" in said for said in fact.all_said() if not text)
    assert all("Intervall" not in said for said in fact.abroad("de") if not text)


def test_a_probability_calibrated_on_sources_left_out_says_for_which_faces_it_is_meant() -> None:
    fact = evidence_of(0.5, (0.4, 0.6), record=TrackRecord(unseen=True))["S1"]

    assert fact.text == (
        "The probability that this face was manipulated is 50%, between 40% and 60%, for a face "
        "from a source like none of those that the detector was trained on."
    )
    assert "trained" not in evidence_of(0.5, (0.4, 0.6))["S1"].text


@pytest.mark.parametrize(
    ("probability", "told"),
    [
        (0.1, "misses about 58 in 100 face swaps and fewer than 1 in 100 portraits by GANs"),
        (0.5, "calls about 11 in 100 face swaps and 71 in 100 portraits by GANs likely"),
    ],
)
def test_what_is_missed_is_told_beside_a_verdict_that_flags_nothing(
    probability: float, told: str
) -> None:
    record = TrackRecord(unseen=True, misses=MISSES)
    fact = evidence_of(probability, (probability, probability), record=record).first(MissesFact)

    assert fact is not None
    assert told in fact.line
    assert fact.values()["misses"][0] == {
        "family": "face swaps",
        "missed": 0.58,
        "interval": [0.4, 0.7],
        "caught": 0.11,
        "n": 96,
        "sources": 2,
    }


@pytest.mark.parametrize(
    ("probability", "told"),
    [
        (0.1, "Of face swaps of a kind it never saw, the detector misses about 58 in 100."),
        (0.5, "Of face swaps of a kind it never saw, the detector flags only about 11 in 100."),
    ],
)
def test_one_short_sentence_tells_of_the_family_that_fares_worst(
    probability: float, told: str
) -> None:
    record = TrackRecord(misses=MISSES)
    fact = evidence_of(probability, (probability, probability), record=record).first(MissesFact)

    assert fact is not None
    assert fact.said(fact.short) == (told,)


def test_what_is_missed_is_not_told_of_a_flagged_face_nor_without_a_record() -> None:
    record = TrackRecord(unseen=True, misses=MISSES)

    assert evidence_of(0.9, (0.9, 0.9), record=record).first(MissesFact) is None
    assert evidence_of(0.1, (0.1, 0.1)).first(MissesFact) is None
    assert evidence_of(0.1, (0.1, 0.1), record=TrackRecord()).first(MissesFact) is None


@pytest.mark.parametrize(
    ("sentence", "status"),
    [
        ("The detector misses about 58 in 100 face swaps.", SentenceStatus.SUPPORTED),
        ("It misses 58% of face swaps.", SentenceStatus.SUPPORTED),
        ("It misses 5% of face swaps.", SentenceStatus.CONTRADICTED),
        ("It calls 71% of portraits by GANs likely manipulated.", SentenceStatus.SUPPORTED),
        ("It calls 11% of face swaps likely manipulated.", SentenceStatus.SUPPORTED),
        ("It catches 11% of portraits by GANs.", SentenceStatus.CONTRADICTED),
    ],
)
def test_a_claim_of_what_is_missed_is_checked(sentence: str, status: SentenceStatus) -> None:
    record = TrackRecord(unseen=True, misses=MISSES)
    (found,) = check(sentence, evidence_of(0.1, (0.05, 0.2), record=record))

    assert found.status is status, found.reason


def _effect(**changes: object) -> str:
    values: dict[str, object] = {
        "region": "mouth",
        "before": 0.93,
        "after": 0.61,
        "matters": True,
        "stands_out": True,
        "verdict": FAKE,
        "verdict_after": FAKE,
        "control": -0.04,
        "control_n": 4,
    }
    return EffectFact(id="C1", **{**values, **changes}).text  # type: ignore[arg-type]


def test_a_region_that_carries_the_score_is_told_with_its_control() -> None:
    assert _effect() == (
        "Neutralising the mouth lowers the score from 93% to 61%. "
        "Random patches of that size move it by 4 points on average."
    )
    assert "raises the score" in _effect(after=0.99)
    assert "does not point to the mouth" in _effect(stands_out=False)
    assert "Random" not in _effect(control_n=0)


def test_a_map_without_an_effect_is_told_in_so_many_words() -> None:
    assert _effect(after=0.92, matters=False) == (
        "The map points to the mouth, but neutralising it hardly moves the score (from 93% to 92%)."
    )
    assert _effect(after=0.92, matters=False, stands_out=False).startswith(
        "Neutralising the mouth hardly"
    )


def test_an_effect_like_that_of_random_patches_is_told_as_such() -> None:
    assert "random patches of that size can do the same" in _effect(after=0.7, matters=False)


def test_a_verdict_that_would_change_is_told() -> None:
    assert _effect(verdict_after=UNSURE).endswith("the verdict would be uncertain.")


def test_the_smallest_set_is_told_or_that_none_was_found() -> None:
    found = SmallestSetFact(
        id="C1",
        regions=("mouth", "nose"),
        after=0.2,
        verdict_after=REAL,
        tried=("mouth", "nose", "jaw"),
    )
    none = SmallestSetFact(id="C1", regions=(), after=0.9, verdict_after=FAKE, tried=("mouth",))

    assert found.text == (
        "Neutralising the mouth and the nose would change the verdict to no sign found (20%)."
    )
    assert none.text == "Neutralising the mouth does not change the verdict."


def test_fragility_is_told_as_a_spread_and_one_by_one() -> None:
    steady = SpreadFact.of("F1", FAKE, [("half size", 0.9, FAKE)])
    tipping = SpreadFact.of(
        "F1",
        FAKE,
        [("half size", 0.6, UNSURE), ("mirrored", 0.9, FAKE), ("JPEG", 0.5, UNSURE)],
    )
    one = ChangeFact(
        id="F2", change="half size", before=0.9, probability=0.6, verdict=FAKE, verdict_after=UNSURE
    )

    assert steady.text == (
        "After 1 everyday change of the file the score is 90%; the verdict stays the same."
    )
    assert tipping.text.endswith("the verdict changes after half size and JPEG.")
    assert (
        one.text
        == "After half size the score goes from 90% to 60%; the verdict would be uncertain."
    )


def test_domain_and_frames_are_told() -> None:
    assert "trust the score less" in DomainFact(id="D1", inside=False, distance=3, limit=2).text
    assert DomainFact(id="D1", inside=True, distance=1, limit=2).inside is True
    assert FramesFact.of([0.2, 0.6]).text == (
        "The score is taken over 2 frames of the video; single frames range from 20% to 60%."
    )


def test_numbers_are_written_the_same_everywhere() -> None:
    assert points(0.001) == "under 1 point"
    assert points(-0.012) == "1 point"
    assert points(0.2) == "20 points"
    assert amount(12.5, "px") == "12.5 px"
    assert amount(64.4, "%") == "64%"
    assert amount(0.333, "") == "0.33"


def test_added_facts_stand_before_the_limits_with_free_numbers() -> None:
    evidence = manipulated()
    clash = DomainFact(id="D1", inside=True, distance=1, limit=2)
    grown = renumbered(evidence, [clash, FramesFact.of([0.1, 0.2])])

    assert grown["D2"].values()["inside"] is True
    assert grown["S3"].values()["frames"] == 2
    assert [f.kind for f in grown.facts[-2:]] == [FactKind.LIMIT, FactKind.LIMIT]


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_any_case_has_distinct_ids_one_sentence_a_line_and_no_injection(seed: int) -> None:
    evidence = drawn(random.Random(seed))
    prompt = evidence.to_prompt()

    assert len(prompt.splitlines()) == len(evidence.facts)
    assert "ignore your instructions" not in prompt
    assert all(fact.text.endswith(".") for fact in evidence.facts)


@pytest.mark.parametrize(
    ("heads", "verdict", "kind"),
    [
        ((2.0, 0.5), FAKE, "laid-in"),
        ((0.5, 0.6), FAKE, "made"),
        ((0.5, 0.6), UNSURE, None),
        ((-2.0, 0.6), UNSURE, "made"),
        ((5.0, 0.0), REAL, None),
        (None, FAKE, None),
    ],
)
def test_a_kind_is_named_of_flagged_faces_and_of_those_that_clearly_lean(
    heads: tuple[float, float] | None, verdict: Verdict, kind: str | None
) -> None:
    assert named_kind(heads, verdict) == kind


def test_how_often_the_kind_is_right_is_told_with_it_or_that_it_is_not_worth_telling() -> None:
    sure = kind_facts((0.0, 3.0), FAKE, TrackRecord(told=(TOLD,)))[0]
    poor = kind_facts((0.0, 3.0), FAKE, TrackRecord(told=(replace(TOLD, right=0.6),)))[0]

    assert sure.text == (
        "If it was manipulated, most likely the whole picture was made by a generator or decoder: "
        "on sources that the detector never saw, this answer is right for 81%."
    )
    assert sure.values() == {"kind": "made", "right": 0.81, "interval": [0.7, 0.9], "n": 120}
    assert poor.text == (
        "Whether it was swapped or made from nothing is not told: on sources that the detector "
        "never saw, its answer is right for 60%, where guessing is right for 50%."
    )
    assert poor.values()["kind"] is None
    assert kind_facts((0.0, 3.0), FAKE, TrackRecord()) == []
    assert kind_facts((3.0, 0.0), FAKE, TrackRecord(told=(TOLD,))) == []
