"""The reference of the cues over time: what stays, what goes out and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from assistant.cues.motion import Motion
from assistant.cues.reference import load_reference
from assistant.evaluation.video import JudgedPerson
from assistant.training.temporal import judge_motion, motion_reference, seen_people
from tests.unit.cues.test_motion import BEGIN, END, changed, motion


def people(count: int, seen: Motion, *, stretch: tuple[float, float] | None) -> list[JudgedPerson]:
    rng = np.random.default_rng(count)
    return [
        JudgedPerson(
            clip=f"{stretch}-{number}",
            manipulated=stretch is not None,
            stretch=stretch,
            source="made",
            motion=replace(
                seen,
                looks=seen.looks + rng.normal(0, 0.01, seen.looks.shape),
                inside=seen.inside if stretch else None,
            ),
        )
        for number in range(count)
    ]


def test_a_manipulated_person_gives_the_time_in_and_out_of_the_stretch() -> None:
    (inside, outside) = seen_people(people(1, changed("border-jump"), stretch=(BEGIN, END)))

    assert inside.manipulated
    assert not outside.manipulated
    assert len(outside.motion.seconds) < len(inside.motion.seconds)
    assert not ((outside.motion.seconds >= BEGIN) & (outside.motion.seconds < END)).any()


def test_what_tells_stays_and_what_does_not_goes_out(tmp_path: Path) -> None:
    seen = seen_people(
        [
            *people(14, motion(), stretch=None),
            *people(8, changed("border-jump"), stretch=(BEGIN, END)),
        ]
    )

    tables = {t.cue: t for t in judge_motion(seen, 50)}

    assert tables["border-jump"].why == ""
    assert (tables["border-jump"].auroc or 0) > 0.9
    assert "do not show more" in tables["landmark-jitter"].why
    path = tmp_path / "motion.json"
    path.write_text(json.dumps(motion_reference(seen, list(tables.values()))))
    reference = load_reference(path)
    assert "border-jump" in reference.limits
    assert "landmark-jitter" not in reference.limits
    assert reference.sources == {"made": (22, 8)}
    assert reference.genuine.rate("border-jump", 1, 1e3, 60.0, 1.6).share == 0.0


def test_too_few_clips_are_no_reference() -> None:
    tables = judge_motion(seen_people(people(3, motion(), stretch=None)), 50)

    assert all("only 3 genuine and 0 manipulated" in t.why for t in tables)
    assert motion_reference([], tables)["limits"] == {}


def test_a_detector_that_shows_no_inside_still_has_the_other_cues() -> None:
    blind = replace(motion(), looks=np.zeros((40, 0)))

    (seen,) = seen_people(people(1, blind, stretch=None))

    assert seen.motion.inside is None
    judged = {t.cue: t.genuine for t in judge_motion([seen], 50)}
    assert (judged["border-jump"], judged["edge-flicker"]) == (0, 1)
