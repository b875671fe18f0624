"""Explanations against the places that people named, on planted words."""

from __future__ import annotations

import json

import pytest

from assistant.errors import TrainingError
from assistant.evaluation.human_regions import (
    Pointed,
    compared,
    comparison_table,
    first_regions,
    pointed_at,
)

HEAD = "id,movie_name,text,manipulation,split\n"


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("The left eye (the person's right eye) and the mouth.", ("eyes", "mouth")),
        ("Its lips, teeth and chin, then the nose.", ("mouth", "jaw")),
        ("The background stands out.", ()),
        ("The eyebrows and the cheeks of a surprised face.", ("forehead", "cheeks")),
        ("Nosey neighbours eyed it.", ()),
        ("It rests on statistics that the eye does not see. The nose.", ("nose",)),
    ],
)
def test_the_first_two_regions_are_read_in_the_order_of_the_text(text, regions):
    assert first_regions(text) == regions


def test_only_test_and_val_rows_of_known_kinds_are_read(tmp_path):
    path = tmp_path / "told.csv"
    path.write_text(
        HEAD
        + '1,003_000.mp4,"The mouth, the teeth.",FaceSwap,test\n'
        + '2,003_000.mp4,"An eye is odd.",FaceSwap,val\n'
        + '3,004_982.mp4,"The nose.",FaceSwap,train\n'
        + '4,clip.mp4,"The nose.",videos,test\n'
    )
    assert pointed_at(path) == {"3_003_000": frozenset({"mouth", "eyes"})}


def test_of_answers_by_part_only_what_is_called_fake_counts(tmp_path):
    answers = {
        "0": {"question": "?", "answer": ["The person's eyes look very fake because they do."]},
        "1": {"question": "?", "answer": ["The person's nose looks real. A straight nose."]},
        "2": {"question": "?", "answer": ["The person's eyebrows look a bit fake."]},
    }
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.json").write_text(json.dumps({"3_003_000": answers}))
    (tmp_path / "split.json").write_text("[1, 2]")
    assert pointed_at(tmp_path) == {"3_003_000": frozenset({"eyes", "forehead"})}


@pytest.mark.parametrize("text", ["", HEAD, "a,b\n1,2\n"])
def test_a_file_that_names_no_region_is_refused(tmp_path, text):
    path = tmp_path / "told.csv"
    path.write_text(text)
    with pytest.raises(TrainingError, match=r"told\.csv"):
        pointed_at(path)


def case(video, told, *named):
    return Pointed(video=str(video), told=told, named=frozenset(named), unseen=False)


def test_words_about_the_right_places_lie_above_both_controls():
    parts = ("eyes", "nose", "mouth", "cheeks", "jaw")
    right = [case(i, (parts[i % 5],), parts[i % 5]) for i in range(100)]
    found = compared(right, resamples=100)
    assert found["told_of_named"][0] == 1.0
    assert found["common_of_named"][0] == pytest.approx(0.4)
    assert found["shuffled_of_named"][0] == pytest.approx(19 / 99, abs=1e-4)
    assert found["over_common"][1] > 0
    assert found["over_shuffled"][1] > 0
    assert "1.00 (1.00 to 1.00)" in comparison_table({"all": found})


def test_words_that_never_vary_are_no_better_than_others_words():
    always = [case(i, ("mouth", "eyes"), ("mouth", "nose", "jaw")[i % 3]) for i in range(60)]
    found = compared(always, resamples=100)
    assert found["over_shuffled"][1] <= 0 <= found["over_shuffled"][2]
    silent = compared([case(i, (), "mouth") for i in range(10)], resamples=50)
    assert silent["told_of_named"][0] == 0
    assert silent["name_a_region"] == 0
