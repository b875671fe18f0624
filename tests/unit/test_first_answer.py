"""The answer that comes first: short, the verdict first, and nothing a check would strike."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from assistant.citations import without_cites
from assistant.evidence import EffectFact, MissesFact, StrongestFact, renumbered
from assistant.first_answer import MOST_WORDS, first_answer, named_regions, short_facts
from assistant.grounding import check
from assistant.types import Evidence, Missed, SentenceStatus, Verdict
from assistant.vlm.composition.lines import joined
from tests.unit.grounding import cases

_MISSES = tuple(
    Missed(family=family, missed=share, low=0.0, high=1.0, pictures=90, sources=3, caught=0.1)
    for family, share in (
        ("edited faces", 0.41),
        ("portraits by diffusion models", 0.2),
        ("face swaps", 0.1),
    )
)


def _drawn(seed: int) -> Evidence:
    rng = random.Random(seed)
    evidence = cases.drawn(rng)
    if evidence.verdict is Verdict.LIKELY_MANIPULATED:
        return evidence
    return renumbered(evidence, [MissesFact(id="L9", verdict=evidence.verdict, misses=_MISSES)])


ALL = [_drawn(seed) for seed in range(300)]


def test_it_is_at_most_ninety_words_and_begins_with_the_verdict_whatever_the_case() -> None:
    for evidence in ALL:
        lines = first_answer(evidence)
        words = " ".join(line.text for line in lines).split()
        assert 20 <= len(words) <= MOST_WORDS, joined(lines)
        assert lines[0].cites == ("S2",)
        name = {"no_sign": "no sign", "uncertain": "uncertain", "likely_manipulated": "likely"}
        assert name[evidence.verdict.value] in lines[0].text.lower()
        assert "person decide" in lines[-1].text
    assert {e.verdict for e in ALL} == set(Verdict)


def test_every_sentence_of_it_stands_up_to_the_check() -> None:
    for evidence in ALL[:120]:
        for sentence in check(joined(first_answer(evidence)), evidence):
            assert sentence.status is SentenceStatus.SUPPORTED, sentence


def test_of_a_face_without_a_sign_neither_map_nor_background_is_told() -> None:
    quiet = [e for e in ALL if e.verdict is Verdict.NO_SIGN]
    assert len(quiet) > 20
    for evidence in quiet:
        text = joined(first_answer(evidence))
        assert "map" not in text
        assert "background" not in text
        assert "misses" in text


@pytest.mark.parametrize("most", [50, 60, 75])
def test_with_less_room_it_is_shorter_and_keeps_verdict_and_advice(most: int) -> None:
    for evidence in ALL[:100]:
        lines = first_answer(evidence, most=most)
        assert sum(len(line.text.split()) for line in lines) <= most
        assert lines[0].cites == ("S2",)
        assert "person decide" in lines[-1].text


def test_the_place_where_the_map_is_strongest_is_named_with_what_taking_it_out_did() -> None:
    from tests.unit.ui.cases import nose_case

    result = nose_case()
    text = without_cites(joined(first_answer(result.evidence)))
    assert "The map points to the nose, but with it covered the score" in text
    assert "background" not in text
    assert result.evidence.first(StrongestFact) is not None
    assert named_regions(result.evidence, result.regions)[0].region == "nose"


def test_what_random_patches_do_as_well_is_not_named_as_what_the_score_rests_on() -> None:
    alike = [
        (evidence, {f.id for f in evidence.of(EffectFact) if f.effect == "like-random"})
        for evidence in ALL
    ]
    assert sum(bool(ids) for _, ids in alike) > 20
    for evidence, ids in alike:
        assert ids.isdisjoint(c for line in first_answer(evidence) for c in line.cites)


def test_what_can_be_seen_is_told_before_how_steady_the_score_is() -> None:
    from tests.unit.ui.test_look_here import analysed, looked

    cited = [line.cites for line in first_answer(analysed(looked("a")).evidence)]
    assert cited[:3] == [("S2",), ("R1",), ("V1",)]


def test_many_facts_that_nothing_moved_are_one_line() -> None:
    evidence = next(e for e in ALL if sum(f.id.startswith("F") for f in e.facts) > 4)
    still = replace(
        evidence,
        facts=tuple(
            replace(f, probability=f.before, verdict_after=f.verdict)
            if type(f).__name__ == "ChangeFact"
            else f
            for f in evidence.facts
        ),
    )
    lines = dict(short_facts(still))
    ids = [f.id for f in still.facts if type(f).__name__ == "ChangeFact"]
    told = lines[f"{ids[0]} to {ids[-1]}"]
    assert told.startswith(f"Making any of the {len(ids)} everyday changes leaves the score at")
    assert not set(ids) & set(lines)
    assert "S1" in lines
