"""The judge of explanations: what it counts as true."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.evaluation.explanation_judge import Truth, claims
from assistant.evidence import EffectFact, MapLimitFact, NoCueFact, renumbered
from assistant.prompting import PromptLibrary
from assistant.routing import QuestionKind
from assistant.types import Verdict
from assistant.vlm.composition import compose_answer, compose_explanation
from tests.unit.evaluation.analyses import analysis
from tests.unit.grounding import cases
from tests.unit.routing.asked import asked

PROMPTS = PromptLibrary(Path(__file__).parents[3] / "prompts")


def test_the_judge_finds_composed_text_true() -> None:
    rng = random.Random(7)
    found = []
    for _ in range(40):
        evidence = cases.drawn(rng)
        truth = Truth.of(analysis(evidence))
        texts = [compose_explanation(evidence, rng)]
        for kind in QuestionKind:
            texts += [compose_answer(evidence, q, rng) for q in rng.choices(asked(kind), k=2)]
        found += [c for text in texts for c in claims(text, truth)]

    assert len(found) > 2000
    assert sum(c.true for c in found) / len(found) > 0.995


@pytest.mark.parametrize(
    "sentence",
    [
        "The verdict is no sign found.",
        "The probability of manipulation is 39%.",
        "The interval runs from 50% to 97%.",
        "The mouth draws 43% of the map.",
        "The left eye draws 34% of the map.",
        "The nose stands out.",
        "The left eye stands out most.",
        "No region stands out.",
        "Neutralising the mouth hardly moves the score.",
        "Neutralising the mouth lowers the score from 93% to 16%.",
        "The face is dark.",
        "No quality problem was measured.",
        "The file names a camera.",
        "The interval is wide.",
        "The face is manipulated.",
        "The skin looks waxy.",
        "There is a high probability of false positives.",
        "The image is a deepfake detection system.",
        "The person is a woman.",
        "The detector is 93% accurate.",
        "This face is like the faces the detector was calibrated on.",
        "The score gives no clear verdict.",
        "Random patches of that size move it by 60 points on average.",
    ],
)
def test_the_judge_finds_false_sentences_false(sentence: str) -> None:
    found = claims(sentence, Truth.of(analysis(cases.manipulated())))

    assert not all(c.true for c in found)


def test_the_judge_knows_why_a_face_lies_outside_what_is_known() -> None:
    unlike = Truth.of(analysis(cases.manipulated()))
    known = replace(unlike, like_known=True)
    for sentence in (
        "What is unusual: the picture itself looks unlike those it knows [D1].",
        "It lies outside what the detector knows, so no verdict is given [D1].",
    ):
        assert [c.true for c in claims(sentence, unlike)] == [True]
        assert [c.true for c in claims(sentence, known)] == [False]


def test_the_judge_knows_when_the_face_was_scored_without_its_surroundings() -> None:
    plain = cases.manipulated()
    fact = EffectFact(
        id="C1",
        region="background",
        before=0.82,
        after=0.13,
        matters=True,
        stands_out=False,
        verdict=Verdict.LIKELY_MANIPULATED,
        verdict_after=Verdict.NO_SIGN,
        control=0.0,
        control_n=0,
        method="left-out",
    )
    sentence = "What is scored then is the aligned face alone [C1]."
    for evidence, true in ((renumbered(plain, [fact]), True), (plain, False)):
        assert [c.true for c in claims(sentence, Truth.of(analysis(evidence)))] == [true]


def test_the_judge_reads_sentences_apart_wherever_their_citations_stand() -> None:
    truth = Truth.of(analysis(cases.manipulated()))
    for text in (
        "The interval is narrow [S1]. The verdict is no sign found [S2].",
        "The interval is narrow. [S1] The verdict is no sign found. [S2]",
    ):
        assert [c.kind for c in claims(text, truth)] == ["other", "verdict"]


@pytest.mark.parametrize(("share", "true"), [(48, True), (68, False)])
def test_the_judge_knows_how_much_of_the_score_the_map_carries(share: int, true: bool) -> None:
    plain = cases.manipulated()
    facts = tuple(replace(f, share=0.48) if isinstance(f, MapLimitFact) else f for f in plain.facts)
    sentence = (
        f"The map shows where part of the score comes from, about {share}% of it, not what was "
        "changed there."
    )
    found = claims(sentence, Truth.of(analysis(replace(plain, facts=facts))))
    assert all(c.true for c in found) is true


def test_the_judge_counts_no_claim_in_refusals() -> None:
    truth = Truth.of(analysis(cases.manipulated()))

    assert claims("You are welcome. Do not decide on this score alone.", truth) == []


def test_the_judge_holds_visible_cues_to_their_places_and_numbers() -> None:
    cue = cases.cue("sharpness")
    seen = Truth.of(analysis(renumbered(cases.manipulated(), [cue])))
    for change, true in (
        (("", ""), True),
        (("2.4", "3.4"), False),
        (("mouth", "nose"), False),
        (("31 in 100", "61 in 100"), False),
    ):
        assert [c.true for c in claims(cue.text.replace(*change), seen)] == [true], change
    none = NoCueFact(id="V1", judged=0, not_judged=(("sharpness", "the face is too small"),))
    for fact, said in ((none, True), (replace(none, judged=3), False)):
        truth = Truth.of(analysis(renumbered(cases.manipulated(), [fact])))
        assert [c.true for c in claims(none.text, truth)] == [said]
