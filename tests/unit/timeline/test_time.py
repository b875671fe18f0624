"""Where to look again, what stands out, and one logit for a clip."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.timeline import (
    CLIP_RULES,
    clip_logit,
    colour_shares,
    denser,
    is_cut,
    movement,
    raised_parts,
)


def test_the_frames_of_the_second_pass_lie_where_the_score_jumps() -> None:
    seconds = np.arange(0.2, 10, 0.4)
    logits = np.where((seconds > 3) & (seconds < 5), 2.0, -1.0)

    wanted = denser([(seconds, movement(logits))], 12)

    assert 0 < len(wanted) <= 12
    for border in (3.0, 5.0):
        assert any(border - 0.4 < at < border + 0.4 for at in wanted)
    assert wanted == sorted(set(wanted))


def test_where_frames_lie_close_already_none_is_wanted() -> None:
    seconds = np.arange(0.0, 1.0, 0.1)

    assert denser([(seconds, np.full(9, 50.0))], 20) == []


def test_where_nobody_changes_more_than_usual_none_is_wanted() -> None:
    logits, looks = np.arange(20.0) % 2, np.random.default_rng(0).normal(9, 1, (20, 8))

    assert denser([(np.arange(20.0), movement(logits, looks))], 24) == []


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_a_raised_part_is_found_between_its_borders(noise: float) -> None:
    logits = np.random.default_rng(3).normal(0, noise, 40)
    logits[12:20] += 2.0

    assert raised_parts(logits) == [(12, 19)]


def test_a_part_whose_looks_jump_is_found_where_the_scores_hardly_tell() -> None:
    rng = np.random.default_rng(5)
    logits, looks = rng.normal(0, 0.8, 40), rng.normal(0, 0.05, (40, 16)) + 1
    logits[12:20] += 1.0
    looks[12:20, :4] += 1.0

    assert raised_parts(logits) == []
    assert raised_parts(logits, looks=looks) == [(12, 19)]


def test_looks_that_jump_at_a_cut_are_no_border() -> None:
    rng = np.random.default_rng(5)
    logits, looks = rng.normal(0, 0.2, 40), rng.normal(0, 0.05, (40, 16)) + 1
    logits[20:] += 0.8
    looks[20:, :4] += 1.0

    assert raised_parts(logits, looks=looks) == [(20, 39)]
    assert raised_parts(logits, looks=looks, shots=[0] * 20 + [1] * 20) == []


def test_looks_that_jump_are_no_part_where_the_score_stays() -> None:
    looks = np.random.default_rng(5).normal(0, 0.05, (40, 16)) + 1
    looks[12:20, :4] += 1.0

    assert raised_parts(np.random.default_rng(6).normal(0, 0.2, 40), looks=looks) == []


def test_noise_alone_has_no_raised_part() -> None:
    found = [raised_parts(np.random.default_rng(seed).normal(0.5, 0.2, 40)) for seed in range(20)]

    assert sum(bool(parts) for parts in found) <= 1


def test_two_raised_parts_are_told_apart() -> None:
    logits = np.full(40, -1.0)
    logits[5:10] = logits[20:30] = 1.5

    assert raised_parts(logits) == [(5, 9), (20, 29)]


def test_frames_that_lie_close_do_not_count_more_than_the_time_they_stand_for() -> None:
    seconds = np.array([0.0, 1.0, 2.0, 2.01, 2.02, 2.03, 2.04, 3.0])
    logits = np.array([0.0, 0.0, 6.0, 6.0, 6.0, 6.0, 6.0, 0.0])

    assert clip_logit(seconds, logits, "mean") < 3.0 < logits.mean()


def test_a_short_stretch_raises_the_noisy_or_more_than_the_mean() -> None:
    seconds = np.arange(0, 10, 0.25)
    quiet, raised = np.full(40, -3.0), np.where((seconds >= 4) & (seconds < 5), 3.0, -3.0)

    gain = {
        rule: clip_logit(seconds, raised, rule) - clip_logit(seconds, quiet, rule)
        for rule in CLIP_RULES
    }
    assert gain["noisy-or"] > 3 > gain["mean"] > gain["trimmed-mean"] - 1e-9
    assert gain["highest-second"] > 3


@pytest.mark.parametrize("rule", CLIP_RULES)
def test_one_moment_has_a_logit_of_its_own(rule: str) -> None:
    assert clip_logit(np.array([2.0]), np.array([0.7]), rule) == pytest.approx(0.7)


def test_a_cut_is_told_by_the_colours() -> None:
    rng = np.random.default_rng(0)
    room = np.full((90, 120, 3), (200, 180, 160), np.uint8)
    street = np.full((90, 120, 3), (20, 60, 110), np.uint8)
    room[20:60, 20:50] = rng.integers(0, 255, (40, 30, 3))
    moved = np.roll(room, 25, axis=1)

    assert not is_cut(colour_shares(room), colour_shares(moved))
    assert is_cut(colour_shares(room), colour_shares(street))
