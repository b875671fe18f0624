"""Who is who in a clip: by place, by looks, and never two in one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assistant.timeline import Sighting, link_people

RED, BLUE = np.array([1.0, 0.2, 0.0]), np.array([0.0, 0.2, 1.0])


def seen(frame: int, x: float, looks: np.ndarray | None, *, shot: int = 0) -> Sighting:
    """A face of 100 pixels at ``x``; frames are 0.4 seconds apart."""
    return Sighting(
        frame=frame,
        seconds=0.4 * frame,
        shot=shot,
        box_xyxy=(x, 50.0, x + 100.0, 150.0),
        looks=looks,
    )


def test_two_people_who_cross_keep_their_numbers() -> None:
    sightings = []
    for frame in range(9):
        sightings += [seen(frame, 60.0 * frame, RED), seen(frame, 480 - 60.0 * frame, BLUE)]

    assert link_people(sightings) == [0, 1] * 9


def test_people_without_looks_are_told_by_the_way_they_go() -> None:
    sightings = []
    for frame in range(9):
        sightings += [seen(frame, 50.0 * frame, None), seen(frame, 430 - 50.0 * frame, None)]

    assert link_people(sightings) == [0, 1] * 9


def test_someone_else_in_the_same_place_after_a_cut_is_another_person() -> None:
    sightings = [seen(f, 100, RED) for f in range(4)]
    sightings += [seen(f, 100, BLUE, shot=1) for f in range(4, 8)]
    sightings += [seen(f, 300, RED + 0.01, shot=2) for f in range(8, 12)]

    assert link_people(sightings) == [0] * 4 + [1] * 4 + [0] * 4


def test_a_face_that_changes_its_looks_where_it_stands_stays_the_same_person() -> None:
    changed = RED + np.array([0.0, 0.3, 0.2])
    sightings = [seen(f, 100, changed if 3 <= f < 6 else RED) for f in range(9)]

    assert link_people(sightings) == [0] * 9


@given(
    st.lists(
        st.lists(st.floats(0, 600), min_size=1, max_size=4),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 1000),
)
def test_two_faces_of_one_frame_are_never_one_person(frames: list[list[float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    sightings = [
        seen(number, x, rng.normal(size=3), shot=number // 3)
        for number, places in enumerate(frames)
        for x in places
    ]
    numbers = link_people(sightings)

    pairs = [(s.frame, number) for s, number in zip(sightings, numbers, strict=True)]
    assert len(set(pairs)) == len(pairs)
