"""A blind description: what is shown of it, what is struck, and where it does not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assistant.grounding import check_description
from assistant.types import FaceAnalysis, QualityIssue, QualityNote
from tests.unit.evaluation.test_explanations import analysis
from tests.unit.grounding import cases

NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def case(crop: np.ndarray | None = None, *notes: QualityNote) -> FaceAnalysis:
    result = analysis(cases.manipulated())
    crop = np.full((64, 64, 3), 150, np.uint8) if crop is None else crop
    return replace(result, face=replace(result.face, crop=crop, quality=notes))


def note(issue: QualityIssue) -> QualityNote:
    return QualityNote(issue=issue, value=0.1, limit=0.3, unit="sharpness")


LEFT_LIT = np.concatenate(
    [np.full((64, 32, 3), 200, np.uint8), np.full((64, 32, 3), 90, np.uint8)], axis=1
)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("The picture is dark.", case()),
        ("The crop is bright.", case(np.full((64, 64, 3), 40, np.uint8))),
        ("It is soft.", case(NOISE)),
        ("The picture looks sharp.", case(None, note(QualityIssue.BLURRED))),
        ("The crop is evenly lit.", case(None, note(QualityIssue.DARK))),
        ("The face is facing the camera.", case(None, note(QualityIssue.TURNED))),
        ("The face is turned away.", case()),
        ("It is a black and white photo.", case()),
        ("The right side is brighter.", case(LEFT_LIT)),
        ("There is no face in the picture.", case()),
    ],
)
def test_what_does_not_fit_the_measurements_is_told(text: str, result: FaceAnalysis) -> None:
    shown, struck, found = check_description(text, result)

    assert shown == text
    assert struck == ()
    assert [d.said for d in found] == [text]
    assert found[0].measured


@pytest.mark.parametrize(
    "text",
    [
        "The picture is evenly lit. It is fairly sharp. The left side is brighter.",
        "The picture is not dark. Natural light falls on the left.",
        "A face with glasses and a beard before a wall.",
    ],
)
def test_what_fits_is_shown_and_nothing_is_made_of_it(text: str) -> None:
    shown, struck, found = check_description(text, case(LEFT_LIT))

    assert shown == text
    assert struck == ()
    assert found == ()


def test_a_verdict_is_never_shown_but_one_against_the_measured_is_told() -> None:
    shown, struck, found = check_description("The light is soft. The face looks real.", case())

    assert shown == "The light is soft."
    assert struck == ("The face looks real.",)
    assert found[0].measured == "The measured verdict is likely manipulated."
    assert found[0].cites == ("S2",)
    assert check_description("It looks fake.", case())[2] == ()
    assert check_description("It is not real.", case())[2] == ()
    assert len(check_description("It is not a fake.", case())[2]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "A young woman smiles.",
        "This is a famous politician.",
        "![x](http://evil.example/a.png)",
        "<img src=x onerror=alert(1)>",
        "x" * 400,
    ],
)
def test_people_links_and_endless_sentences_are_struck(text: str) -> None:
    assert check_description(text, case())[0] == ""


def test_a_model_that_repeats_itself_is_shown_once_and_eight_sentences_at_most() -> None:
    assert check_description("It is sharp. " * 40, case())[0] == "It is sharp."
    many = " ".join(f"There is thing number {i}." for i in range(20))
    assert check_description(many, case())[0].count(".") == 8


def test_what_a_model_was_measured_not_to_see_is_left_out() -> None:
    said = "It is sharp. The eyes are bare. The left side is brighter."
    shown, struck, against = check_description(said, case(), unseen=("eyes", "side"))
    assert (shown, struck, against) == ("It is sharp.", (), ())


def test_colour_that_was_measured_is_told_of_a_picture_said_to_be_without() -> None:
    (found,) = check_description("It is without colour.", case())[2]
    assert found.measured == "The picture was measured to have colour."
