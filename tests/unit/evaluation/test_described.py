from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assistant.evaluation.described import ATTRIBUTES, described
from assistant.prompting import PromptLibrary
from assistant.training.narrator_pictures import Seen
from assistant.types import VlmRequest

PROMPT = PromptLibrary(Path(__file__).parents[3] / "prompts").get("describe")
POINTS = np.array([[80, 90], [140, 90], [110, 125], [88, 155], [132, 155]], np.float32)


class SeesLight:
    """Tells whether a picture is dark; of glasses it speaks always."""

    name = "sees-light"
    supports_images = True

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        dark = bool(request.images) and request.images[0].mean() < 80
        yield "It is dark. Glasses are worn." if dark else "Glasses are worn."


def test_what_a_model_tells_of_known_changes_is_seen_and_what_it_always_says_is_not() -> None:
    rng = np.random.default_rng(0)
    faces = [
        Seen(
            crop=rng.integers(90, 220, (224, 224, 3), dtype=np.uint8),
            points=POINTS,
            shows={"glasses": i == 0},
        )
        for i in range(8)
    ]
    found = described(SeesLight(), faces, PROMPT)  # type: ignore[arg-type]
    light, glasses = (found["drawn"][name] for name in ("dark", "glasses"))

    assert (light["named_with"], light["named_without"], light["seen"]) == ([8, 8], [0, 8], True)
    assert (glasses["balanced_accuracy"], glasses["seen"]) == (0.5, False)
    assert glasses["named_with"] == [7, 7], "none is drawn where one is labelled"
    assert list(found["labelled"]) == ["glasses"]
    assert found["labelled"]["glasses"]["named_without"] == [7, 7]
    assert found["control"] == "glasses are worn."


def test_every_change_leaves_a_picture_and_changes_it() -> None:
    picture = np.random.default_rng(0).integers(30, 220, (224, 224, 3), dtype=np.uint8)
    for name, (change, _) in ATTRIBUTES.items():
        changed = change(picture, POINTS)
        assert (changed.shape, changed.dtype) == (picture.shape, np.uint8), name
        assert (changed != picture).any(), name
