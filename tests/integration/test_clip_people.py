"""Whole clips with a known truth through the product's path: who, and when."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from assistant.compose import build_finder, build_scorer
from assistant.evaluation.made_clips import MadePerson, Portrait, make_clip, portraits
from assistant.lanes import timeline_of
from assistant.media import load_media
from assistant.scoring import ScoredFace, Scorer
from assistant.settings import Settings
from assistant.tracks import found_tracks
from assistant.types import Timeline

SIZE = (960, 540)
pytestmark = pytest.mark.usefixtures("model_files")


@cache
def scorer() -> Scorer:
    return build_scorer(Settings())


@cache
def made() -> dict[str, Portrait]:
    return {p.name: p for p in portraits(build_finder(Settings()), 3, side=300)}


def scored(data: bytes) -> list[ScoredFace]:
    used = scorer()
    media = load_media(data)
    spec = used.detector.crop_spec
    found = found_tracks(media, build_finder(Settings()), spec, most=8, read=used.read)
    return used.score(found.tracks)


def lane(person: ScoredFace) -> Timeline:
    timeline = timeline_of(person, scorer().calibrator)
    assert timeline is not None
    return timeline


def test_two_faces_that_cross_are_two_people_from_end_to_end() -> None:
    left = MadePerson(portrait=made()["hopper"], path=((0.2, 0.45), (0.8, 0.45)))
    right = MadePerson(portrait=made()["astronaut"], path=((0.8, 0.55), (0.2, 0.55)))
    people = scored(make_clip([left, right], 4.0, 23, size=SIZE, rate=12).data)

    assert len(people) == 2
    ways = []
    for person in people:
        middles = [(f.box_xyxy[0] + f.box_xyxy[2]) / 2 for f in person.track.faces]
        steps = [b - a for a, b in pairwise(middles)]
        assert all(s > -20 for s in steps) or all(s < 20 for s in steps), steps
        ways.append(middles[-1] > middles[0])
    assert sorted(ways) == [False, True]


def test_the_stretch_is_found_and_given_to_the_person_it_belongs_to() -> None:
    still = MadePerson(portrait=made()["astronaut"], path=((0.75, 0.5), (0.7, 0.5)))
    fake = MadePerson(portrait=made()["hopper"], path=((0.25, 0.5), (0.3, 0.5)), stretch=(1.5, 3.2))
    people = scored(make_clip([still, fake], 5.0, 20, size=SIZE, rate=12).data)

    assert len(people) == 2
    by_side = sorted(people, key=lambda p: p.face.box_xyxy[0])
    found, other = lane(by_side[0]).stretches, lane(by_side[1]).stretches
    assert not any(s.verdict.value == "likely_manipulated" for s in other)
    assert len(found) == 1
    begin, end = found[0].begin, found[0].end
    both = min(end, 3.2) - max(begin, 1.5)
    assert both / (max(end, 3.2) - min(begin, 1.5)) >= 0.7
    assert 1.5 <= found[0].peak <= 3.2
