"""Facts of the map: which regions are told, and how."""

from __future__ import annotations

import pytest

from assistant.evidence.limits import limit_facts
from assistant.grounding import check
from assistant.types import (
    FactKind,
    RegionFinding,
    SentenceStatus,
    Verdict,
)
from tests.unit.grounding.cases import evidence_of, finding, manipulated, real, uncertain

FAKE, UNSURE, REAL = Verdict.LIKELY_MANIPULATED, Verdict.UNCERTAIN, Verdict.NO_SIGN


def test_regions_that_stand_out_come_first_by_lift_then_that_no_other_does() -> None:
    evidence = manipulated()

    assert [f.id for f in evidence.of_kind(FactKind.REGION)] == ["R1", "R2", "R3"]
    assert evidence["R1"].text == (
        "The mouth stands out: it draws 34% of the map, 2.8 times what its size alone explains."
    )
    assert evidence["R2"].text.startswith("The left eye (the person's right eye) stands out")
    assert evidence["R2"].values()["person_side"] == "right eye"
    assert evidence["R3"].text == "No other region stands out."
    assert "nose" in evidence["R3"].values()["regions"]


def test_no_region_standing_out_is_a_fact() -> None:
    fact = real()["R1"]

    assert fact.values()["alone"] is True
    assert fact.text.startswith("No region stands out")


def test_without_a_map_there_is_no_region_fact_and_no_limit_of_the_map() -> None:
    evidence = evidence_of(0.5, (0.4, 0.6))

    assert evidence.of_kind(FactKind.REGION) == ()
    assert [f.values()["limit"] for f in evidence.of_kind(FactKind.LIMIT)] == [
        "not-proof",
        "not-seen",
    ]
    assert evidence["L2"].text.startswith("No face parts could be told apart")


def test_parts_outside_the_crop_are_told_as_not_looked_at() -> None:
    hidden = RegionFinding(region="forehead", share=0.0, area=0.0, lift=0.0)
    evidence = evidence_of(0.5, (0.4, 0.6), [finding("mouth", 0.9, 0.1, out=True), hidden])

    assert evidence["L3"].text == (
        "Outside the picture of the face, and so not looked at: the forehead."
    )
    assert evidence["L3"].values()["regions"] == ("forehead",)


def test_the_region_of_highest_lift_is_told_first() -> None:
    wide, narrow = finding("forehead", 0.5, 0.3, out=True), finding("mouth", 0.3, 0.05, out=True)
    evidence = evidence_of(0.5, (0.4, 0.6), [wide, narrow, finding("nose", 0.1, 0.1, out=False)])

    told = [f.values().get("region") for f in evidence.of_kind(FactKind.REGION)]
    assert told == ["mouth", "forehead", None]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (
            finding("nose", 0.4, 0.1, out=False),
            finding("mouth", 0.25, 0.1, out=False),
            ["R1 nose", "R2 mouth"],
        ),
        (
            finding("nose", 0.4, 0.1, out=True),
            finding("mouth", 0.25, 0.1, out=False),
            ["R1 nose", "R2 mouth"],
        ),
        (finding("nose", 0.4, 0.1, out=False), finding("mouth", 0.11, 0.1, out=False), ["R1 nose"]),
        (
            finding("background", 0.8, 0.2, out=False),
            finding("jaw", 0.12, 0.1, out=False),
            ["R1 background", "R2 jaw"],
        ),
        (
            finding("nose", 0.4, 0.1, out=False),
            finding("background", 0.6, 0.2, out=False),
            ["R1 nose"],
        ),
    ],
)
def test_the_maps_second_place_in_the_face_is_told_where_its_size_does_not_explain_it(
    first: RegionFinding, second: RegionFinding, told: list[str]
) -> None:
    evidence = evidence_of(
        0.5, (0.4, 0.6), [second, first, finding("forehead", 0.05, 0.1, out=False)]
    )

    facts = evidence.of_kind(FactKind.REGION)
    assert [f"{f.id} {f.values()['region']}" for f in facts if "region" in f.values()] == told
    if len(told) > 1 and first.region != "background":
        assert evidence["R2"].text == (
            "Next in the map comes the mouth, with 25% of it, no more than in untouched faces."
        )
        for sentence, status in (
            ("The map is strongest at the mouth.", SentenceStatus.CONTRADICTED),
            ("The map also points to the mouth [R2].", SentenceStatus.SUPPORTED),
            ("The mouth stands out in the map.", SentenceStatus.CONTRADICTED),
            ("The map does not point to the mouth.", SentenceStatus.CONTRADICTED),
        ):
            (found,) = check(sentence, evidence)
            assert found.status is status, (sentence, found.reason)


def test_all_regions_standing_out_leaves_no_other() -> None:
    evidence = evidence_of(0.5, (0.4, 0.6), [finding("mouth", 0.9, 0.1, out=True)])

    assert [f.id for f in evidence.of_kind(FactKind.REGION)] == ["R1"]


def test_the_background_is_told_to_lie_outside_the_face() -> None:
    assert "outside the face" in uncertain()["R1"].text


def test_where_the_map_is_strongest_is_named_first_also_where_it_is_usual() -> None:
    """The map glows there; words that name no place but the background would tell another story."""
    nose, around = finding("nose", 0.57, 0.1, out=False), finding("background", 0.2, 0.15, out=True)
    evidence = evidence_of(0.5, (0.4, 0.6), [around, nose, finding("jaw", 0.2, 0.2, out=False)])

    told = [(f.id, f.values().get("region")) for f in evidence.of_kind(FactKind.REGION)]
    assert told == [("R1", "nose"), ("R2", "background"), ("R3", None)]
    assert evidence["R1"].text.startswith("The map is strongest at the nose, with 57% of it")
    assert evidence["R2"].values()["rank"] == 1


def test_how_much_of_the_score_the_map_carries_is_told_where_it_was_measured() -> None:
    told = limit_facts([finding("nose", 0.3, 0.1, out=False)], FAKE, map_share=0.24)[1]
    assert "about 24% of it" in told.text
    assert told.values()["share"] == 0.24
    plain = limit_facts([finding("nose", 0.3, 0.1, out=False)], FAKE)[1]
    assert "%" not in plain.text
