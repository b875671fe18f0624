"""Faces that cues cannot see well: each cue says why it does not judge, or gives its base rate."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from PIL import Image

from assistant import registry
from assistant.cues.reference import CueReference, Known
from assistant.cues.stage import VisibleCues
from assistant.evidence import CueFact, cue_facts
from assistant.faces.dense import DenseLandmarks
from assistant.faces.quality import quality_notes
from assistant.types import CuesLooked, Detection
from tests.drawn import drawn_faces
from tests.unit.faces.scenes import BOX, POINTS, astronaut, model_file

_EYES = {"eye-detail", "feature-detail"}
_COLOURS = {
    "cheek-colour",
    "colour-noise",
    "edge-colour",
    "rim-colour",
}


class Scene(NamedTuple):
    """A picture, the five points of the face in it, and its box."""

    frame: np.ndarray
    points: np.ndarray = POINTS
    box: tuple[float, float, float, float] = BOX


def covered() -> Scene:
    frame = astronaut().copy()
    frame[88:118, 180:272] = (20, 20, 20)
    return Scene(frame)


def profile() -> Scene:
    points = POINTS.copy()
    points[2, 0] = 262
    return Scene(astronaut(), points)


def two_that_overlap() -> Scene:
    frame = astronaut().copy()
    frame[55:182, 224:316] = astronaut()[55:182, 180:272]
    return Scene(frame)


def at_the_border() -> Scene:
    return Scene(
        np.ascontiguousarray(astronaut()[:, 222:]),
        (POINTS - [222, 0]).astype(np.float32),
        (-42.0, 60.0, 49.0, 178.0),
    )


def greyscale() -> Scene:
    grey = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)
    return Scene(np.dstack([grey] * 3))


def forty_pixels() -> Scene:
    scale = 40 / (BOX[2] - BOX[0])
    frame = cv2.resize(astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Scene(frame, POINTS * scale, tuple(v * scale for v in BOX))


def painted() -> Scene:
    frame = drawn_faces()
    points = np.array([[194, 147], [285, 147], [240, 194], [210, 236], [270, 236]], np.float32)
    return Scene(frame, points, (114.0, 36.0, 366.0, 324.0))


def glasses() -> Scene:
    frame = astronaut().copy()
    for x, y in POINTS[:2].astype(int):
        cv2.circle(frame, (int(x), int(y)), 15, (30, 30, 30), 2)
        cv2.ellipse(frame, (int(x), int(y)), (11, 6), 30, 0, 360, (250, 250, 250), -1)
    return Scene(frame)


def beauty_filter() -> Scene:
    return Scene(cv2.bilateralFilter(astronaut(), 15, 60, 15))


def saved_ten_times() -> Scene:
    frame = astronaut()
    for _ in range(10):
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG", quality=40)
        frame = np.asarray(Image.open(buffer).convert("RGB"))
    return Scene(frame)


@pytest.fixture(scope="module")
def stage(data_dir) -> VisibleCues:
    """All cues there are, beside faces of which none shows anything like the reading."""
    cues = [registry.load("cues", name)() for name in registry.BUILT_IN["cues"]]
    far = {c.name: np.full(300, -1e6 * c.sign) for c in cues}
    near = {c.name: np.full(300, 1e6 * c.sign) for c in cues}
    size = {"eyes": np.full(300, 46.0), "fineness": np.full(300, -1.0)}
    reference = CueReference(
        genuine=Known(**size, values=far),
        manipulated=Known(**size, values=near),
        limits=dict.fromkeys(far, 0.03),
        sources={},
    )
    return VisibleCues(cues, reference, DenseLandmarks(model_file("face-landmarks", data_dir)))


def look(stage: VisibleCues, scene: Scene) -> CuesLooked:
    found = Detection(box_xyxy=scene.box, landmarks=scene.points, confidence=0.9)
    issues = [note.issue for note in quality_notes(scene.frame, found)]
    return stage.look(scene.frame, scene.points, issues)


@pytest.mark.parametrize(
    ("made", "silent", "reason"),
    [
        (covered, _EYES | {"cheek-colour", "edge-colour", "rim-colour"}, "cannot be seen"),
        (profile, set(registry.BUILT_IN["cues"]), "turned away"),
        (two_that_overlap, set(), ""),
        (at_the_border, set(registry.BUILT_IN["cues"]), ""),
        (greyscale, _COLOURS, "greyscale"),
        (forty_pixels, set(registry.BUILT_IN["cues"]), "pixels apart"),
        (painted, set(), ""),
        (glasses, _EYES, "cannot be seen"),
        (beauty_filter, set(), ""),
        (saved_ten_times, set(), ""),
    ],
)
def test_each_cue_says_why_it_does_not_judge_or_gives_a_number_with_its_base_rate(
    stage: VisibleCues, made: Callable[[], Scene], silent: set[str], reason: str
) -> None:
    looked = look(stage, made())
    judged = {f.reading.cue for f in looked.findings}
    refused = {n.cue: n.reason for n in looked.not_judged}
    assert judged | set(refused) == set(registry.BUILT_IN["cues"])
    assert not judged & set(refused)
    assert all(refused.values())
    assert silent <= set(refused), {c: "judged" for c in silent - set(refused)}
    assert all(reason in refused[name] for name in silent)
    for finding in looked.findings:
        assert np.isfinite(finding.reading.value)
        assert finding.genuine.faces == 250
        assert finding.genuine.low <= finding.genuine.share <= finding.genuine.high
    told = " ".join(f.text for f in cue_facts(looked) if isinstance(f, CueFact))
    for name in refused:
        assert name not in {f.cue_name for f in cue_facts(looked) if isinstance(f, CueFact)}
    if set(refused) >= _EYES:
        assert "eyes differ" not in told
        assert "eyes holds" not in told
    assert "light" not in told
