"""What the page needs of an assistant."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from assistant.events import Event
from assistant.pipeline import PipelineLimits
from assistant.types import FaceAnalysis, Turn

__all__ = ["PageAssistant"]


class PageAssistant(Protocol):
    """What the page needs of an assistant (:class:`assistant.pipeline.Assistant` has it)."""

    limits: PipelineLimits
    demo: bool
    versions: dict[str, str]

    @property
    def measures_fragility(self) -> bool:
        """Whether :meth:`probe_fragility` adds anything."""
        ...

    def analyze(
        self,
        data: bytes,
        *,
        explain: bool = True,
        fragility: bool = True,
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Measure a file."""
        ...

    def probe_fragility(self, result: FaceAnalysis) -> FaceAnalysis:
        """Add how steady the score and the regions are."""
        ...

    @property
    def can_describe(self) -> bool:
        """Whether the text backend sees pictures (``blind``)."""
        ...

    def explain(
        self, result: FaceAnalysis, *, blind: bool = False, cancel: threading.Event | None = None
    ) -> Iterator[Event]:
        """Write the explanation of a face; ``blind``: after a description without the score."""
        ...

    def ask(
        self,
        result: FaceAnalysis,
        question: str,
        *,
        history: Sequence[Turn] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Answer a question about a face."""
        ...

    def provenance(self) -> Mapping[str, Mapping[str, str]]:
        """Every stage's name and origin."""
        ...
