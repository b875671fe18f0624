"""The reference of the cues over time: what stays, what goes out and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.calibration.curve import CurveCalibrator
from assistant.cues.motion import Motion
from assistant.cues.reference import load_reference
from assistant.errors import TrainingError
from assistant.evaluation.judged import JudgedPerson
from assistant.training.temporal import judge_motion, motion_reference, seen_people
from assistant.training.temporal_head import compare_rules, fit_head
from tests.unit.cues.test_motion import BEGIN, END, changed, motion
from tests.unit.timeline.clips import moment


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


def of_clip(source: str, number: int, *, stretch: bool) -> JudgedPerson:
    """Whose score tells nothing but where a part of it rises."""
    rng = np.random.default_rng((number, stretch, len(source)))
    logits = rng.normal(rng.normal(0, 1), 0.1, 30)
    logits[10:16] += 3.0 * stretch
    return JudgedPerson(
        clip=f"{source}-{number}-{stretch}",
        manipulated=stretch,
        stretch=None,
        source=source,
        moments=tuple(moment(s, x) for s, x in zip(np.arange(0, 9, 0.3), logits, strict=True)),
    )


def test_the_head_is_judged_on_the_source_that_it_was_not_fitted_on() -> None:
    people = [
        of_clip(source, number, stretch=stretch)
        for source in ("a", "bb")
        for number in range(8)
        for stretch in (False, True)
    ]
    calibrator = CurveCalibrator.unfitted()

    compared = compare_rules(people, calibrator, resamples=20)

    assert compared.best == "head"
    assert (compared.sources["all"]["head"]["auroc"] or 0) > 0.95
    assert (compared.sources["all"]["mean"]["auroc"] or 1) < 0.95
    assert compared.calibration["head"]["brier"] < compared.calibration["mean"]["brier"]
    assert compared.people == {"a": (8, 8), "bb": (8, 8)}
    with pytest.raises(TrainingError, match="one source"):
        compare_rules(people[:16], calibrator)
    with pytest.raises(TrainingError, match="at least 4 genuine"):
        fit_head(people[:4], calibrator)
