"""Cues over time: each speaks of what it is named after, and says why it is silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assistant.cues.moments import VALUES, moment_values, surroundings
from assistant.cues.motion import MOTION_CUES, Motion, look_over_time, widest
from assistant.cues.reference import CueReference, Known
from assistant.evidence import cue_facts
from assistant.types import CueReading, NotJudged

CUES = {cue.name: cue for cue in MOTION_CUES}
POINTS = np.array([[100, 110], [156, 110], [128, 145], [108, 170], [148, 170]], np.float64)
BEGIN, END = 3.0, 5.0


def motion(seed: int = 0) -> Motion:
    """A still scene of ten seconds whose light, detail and points tremble alike."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(0, 10, 0.25)
    middle = dict(zip(VALUES, (120, 90, 6, 5, 0, 0.6, 0, 1.1, 0.8), strict=True))
    values = np.array([list(middle.values())] * len(seconds))
    values[:, :2] += rng.normal(0, 1, (len(seconds), 1))
    values[:, 2:4] *= np.exp(rng.normal(0, 0.02, (len(seconds), 1)))
    values[:, 4:] += rng.normal(0, 0.002, (len(seconds), 5))
    return Motion(
        shots=np.zeros(40, int),
        seconds=seconds,
        values=values,
        looks=np.ones((len(seconds), 8)) + rng.normal(0, 0.01, (len(seconds), 8)),
        spoilt=np.zeros(len(seconds), bool),
        eyes=60.0,
        box_xyxy=(100.0, 100.0, 200.0, 220.0),
        inside=(seconds >= BEGIN) & (seconds <= END),
    )


def changed(name: str) -> Motion:
    """What each cue is there to see."""
    still, rng = motion(), np.random.default_rng(9)
    values, looks = still.values.copy(), still.looks.copy()
    if name == "brightness-flicker":
        values[:, VALUES.index("face")] += rng.normal(0, 8, len(values))
    elif name == "edge-flicker":
        values[:, VALUES.index("edge")] *= np.exp(rng.normal(0, 0.3, len(values)))
    elif name == "landmark-jitter":
        values[:, VALUES.index("nose-x")] += rng.normal(0, 0.05, len(values))
    else:
        assert still.inside is not None
        looks[still.inside, :4] += 0.5
    return replace(still, values=values, looks=looks)


def value(name: str, seen: Motion) -> float:
    read = CUES[name].measure(seen)
    assert isinstance(read, CueReading)
    return read.value


@pytest.mark.parametrize("name", sorted(CUES))
def test_a_cue_rises_with_what_it_is_named_after(name: str) -> None:
    assert value(name, changed(name)) > 3 * value(name, motion())


@pytest.mark.parametrize("name", ["brightness-flicker", "edge-flicker", "landmark-jitter"])
def test_a_cue_stays_where_something_else_changes(name: str) -> None:
    for other in sorted({"brightness-flicker", "edge-flicker", "landmark-jitter"} - {name}):
        assert value(name, changed(other)) == pytest.approx(value(name, motion()))


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (replace(motion(), eyes=20.0), "24 are needed"),
        (replace(motion(), spoilt=np.ones(40, bool)), "turned away"),
        (replace(motion(), seconds=np.arange(40.0)), "lie close in time"),
        (replace(motion(), inside=None), "no part of the clip stands out"),
        (replace(motion(), looks=np.zeros((40, 0))), "shows no inside"),
    ],
)
def test_what_cannot_be_judged_says_why(seen: Motion, reason: str) -> None:
    read = CUES["border-jump"].measure(seen)

    assert isinstance(read, NotJudged)
    assert reason in read.reason


def test_a_face_that_fills_the_picture_has_no_surroundings_to_be_compared_with() -> None:
    values = motion().values.copy()
    values[:, VALUES.index("around")] = np.nan

    assert isinstance(
        CUES["brightness-flicker"].measure(replace(motion(), values=values)), NotJudged
    )


def test_the_worst_part_of_a_clip_is_where_the_looks_differ() -> None:
    seen = widest(replace(changed("identity-drift"), inside=None))

    assert seen.inside is not None
    inside = seen.seconds[seen.inside]
    assert inside[0] == pytest.approx(BEGIN, abs=0.3)
    assert inside[-1] == pytest.approx(END, abs=0.3)


def test_the_light_on_a_face_is_told_from_that_around_it() -> None:
    rng = np.random.default_rng(0)
    dim = rng.integers(80, 90, (256, 256, 3)).astype(np.uint8)
    bright = dim.copy()
    bright[70:205, 90:166] += 60

    a, b = moment_values(dim, POINTS), moment_values(bright, POINTS)

    face, around = VALUES.index("face"), VALUES.index("around")
    assert b[face] - a[face] > 40
    assert b[around] == pytest.approx(a[around], abs=1)
    assert np.allclose(a[4:], moment_values(bright, 0.5 * POINTS + 60)[4:])


def test_a_small_face_in_a_large_frame_is_seen_with_what_lies_around_it() -> None:
    frame = np.full((600, 900, 3), 90, np.uint8)
    frame[300:460, 400:520] = 170
    points = np.array([[430, 350], [490, 350], [460, 385], [440, 415], [480, 415]], np.float64)

    values = moment_values(*surroundings(frame, points))

    assert np.isfinite(values).all()
    assert values[VALUES.index("face")] > 150
    assert values[VALUES.index("around")] < 100


def test_an_unusual_reading_is_a_fact_with_its_base_rates_and_moves_no_number() -> None:
    name = "brightness-flicker"
    genuine = np.array([value(name, motion(seed)) for seed in range(30)])

    def known(values: np.ndarray) -> Known:
        return Known(
            eyes=np.full(len(values), 60.0),
            fineness=np.full(len(values), motion().fineness),
            values={name: values},
        )

    reference = CueReference(
        genuine=known(genuine), manipulated=known(genuine * 60), limits={name: 0.04}, sources={}
    )

    looked = look_over_time(changed(name), reference)

    assert [f.reading.cue for f in looked.findings] == [name]
    (fact,) = cue_facts(looked)
    assert fact.id == "V1"
    assert "change of brightness between frames" in fact.text
    assert "fewer than 1 in 100 (0 to 11) genuine" in fact.text
    assert not look_over_time(motion(99), reference).spoken
