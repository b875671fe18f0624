"""What each cue measures, on the astronaut with something done to a part of the picture."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from assistant import registry
from assistant.cues import WINDOW_EYES, face_window
from assistant.faces.dense import DenseLandmarks
from tests.unit.faces.scenes import POINTS, astronaut, model_file


@pytest.fixture(scope="module")
def window(data_dir):
    dense = DenseLandmarks(model_file("face-landmarks", data_dir))
    points = dense.find(astronaut(), POINTS)
    return face_window(astronaut(), points.points, points.depth)


def value(name, window):
    return registry.load("cues", name, plugins=False)().measure(window).value


def blurred(window, mask):
    soft = cv2.GaussianBlur(window.image, (0, 0), 2.0)
    return replace(window, image=np.where(mask[..., None], soft, window.image))


def tinted(window, mask):
    other = np.clip(window.image + np.array([25, -10, -25]), 0, 255).astype(np.uint8)
    return replace(window, image=np.where(mask[..., None], other, window.image))


BLURS = [
    ("mouth-detail", lambda w: w.part("mouth", grow=0.05), 0.7),
    ("eye-detail", lambda w: w.part("left eye", "right eye", grow=0.08), 0.7),
    ("feature-detail", lambda w: w.radius < 0.8, None),
    ("skin-detail", lambda w: w.radius < 1.0, 0.5),
    ("skin-noise", lambda w: w.radius < 1.0, 0.5),
]


@pytest.mark.parametrize(("name", "where", "most"), [b for b in BLURS if b[2]])
def test_a_part_that_was_blurred_reads_lower(window, name, where, most):
    before, after = value(name, window), value(name, blurred(window, where(window)))
    assert after < most * before


def test_a_sharp_rim_around_a_blurred_middle_reads_higher(window):
    before = value("edge-detail", window)
    assert value("edge-detail", blurred(window, window.radius < 0.8)) > 1.3 * before


def test_a_middle_of_another_colour_reads_higher(window):
    after = tinted(window, window.radius < 0.62)
    assert value("rim-colour", after) > value("rim-colour", window) + 5
    assert value("cheek-colour", after) > value("cheek-colour", window) + 5
    assert value("edge-colour", after) > value("edge-colour", window) + 2


def test_a_large_face_is_reduced_and_its_places_are_told_in_pixels_of_the_picture(window):
    factor = 3
    large = cv2.resize(astronaut(), None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    points = window.points + list(window.offset)
    seen = face_window(large, points * factor, window.depth * factor)
    assert seen.eyes == pytest.approx(WINDOW_EYES, rel=0.05)
    cue = registry.load("cues", "mouth-detail", plugins=False)()
    wanted = np.array(cue.measure(window).places[0].box_xyxy) * factor
    assert np.abs(np.array(cue.measure(seen).places[0].box_xyxy) - wanted).max() < 3 * factor


def test_the_rings_lie_around_each_other(window):
    middle = window.points.mean(0).round().astype(int)
    assert window.radius[middle[1], middle[0]] < 0.3
    assert not (window.ring & window.skin).any()
    assert not (window.skin & window.part("mouth")).any()
