"""A text backend that tests hold by strings, and the assistant around it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from assistant.cues.stage import enlarged
from assistant.errors import InferenceError
from assistant.fakes import SkinFaceFinder, demo_assistant
from assistant.pipeline import Assistant
from assistant.streaming import StreamLimits
from assistant.types import (
    BaseRate,
    CueFinding,
    CuePlace,
    CueReading,
    CuesLooked,
    Detection,
    Image,
    QualityIssue,
    VlmRequest,
)
from tests.drawn import SKIN

QUICK = StreamLimits(first_seconds=20.0, idle_seconds=20.0, total_seconds=60.0)


class Puppet:
    """Says ``line`` (a format string over the case's S1 values) word by word.

    While ``gate`` is not set it waits after the fourth word. ``mode``: ``say``, ``hang``, ``die``.
    """

    name = "puppet"
    supports_images = False

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.mode = "say"
        self.line = (
            "The detector gives a probability of manipulation of {shown} [S1]. "
            "The detector can be wrong [L1]. The hair was painted by a robot [Q9]."
        )
        self.asked: list[str] = []

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        if "text to be mended" in request.messages[-1].content:
            return  # it writes no sentence again: what is struck stays struck
        self.asked.append(request.question)
        values = request.evidence["S1"].values()
        words = self.line.replace("{shown}", values["shown"])
        if request.question:
            words = f"You asked. {words}"
        for i, word in enumerate(words.split(" ")):
            if i == 4 and self.mode == "die":
                raise InferenceError("The text model was killed.", hint="Start it again.")
            while i == 4 and (self.mode == "hang" or not self.gate.wait(0.02)):
                if cancel.wait(0.02):
                    return
            if cancel.is_set():
                return
            yield word + " "

    def provenance(self) -> Mapping[str, str]:
        return {"model": "none"}

    def close(self) -> None:
        self.gate.set()


class DrawnFaceFinder:
    """Finds the faces of :func:`tests.drawn.drawn_faces` and nothing in photographs."""

    name = "drawn"

    def find(self, image: Image) -> tuple[Detection, ...]:
        exact = (image == np.array(SKIN, np.uint8)).all(axis=2)
        return SkinFaceFinder().find(np.where(exact[..., None], image, 0).astype(np.uint8))

    def provenance(self) -> Mapping[str, str]:
        return {"model": "none (demo)"}


class PlantedCue:
    """Says of every face that its mouth holds little detail beside its skin; nothing over time."""

    over_time = None

    def look(
        self, frame: Image, landmarks: np.ndarray, issues: Sequence[QualityIssue] = ()
    ) -> CuesLooked:
        across = float(landmarks[4, 0] - landmarks[3, 0])
        boxes = []
        for x, y in (landmarks[3:].mean(0), landmarks[[0, 3]].mean(0)):
            boxes.append((x - across / 2, y - across / 4, x + across / 2, y + across / 4))
        reading = CueReading(
            cue="planted",
            quantity="fine detail",
            value=0.4,
            unit="times",
            places=(
                CuePlace(name="mouth", box_xyxy=boxes[0]),
                CuePlace(name="skin", box_xyxy=boxes[1]),
            ),
        )
        finding = CueFinding(
            reading=reading,
            genuine=BaseRate(share=0.02, low=0.01, high=0.05, faces=250),
            manipulated=BaseRate(share=0.3, low=0.24, high=0.36, faces=250),
            beyond=True,
            pictures=enlarged(frame, boxes),
        )
        return CuesLooked(findings=(finding,))


def puppet_assistant(**options: Any) -> tuple[Assistant, Puppet]:
    """The demo assistant with a puppet for its words."""
    puppet = Puppet()
    options.setdefault("stream_limits", QUICK)
    options.setdefault("finder", DrawnFaceFinder())
    options.setdefault("cues", PlantedCue())
    return demo_assistant(puppet, **options), puppet
