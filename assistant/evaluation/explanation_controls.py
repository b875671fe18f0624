"""Narrators that are told something wrong, or are none: the measure must tell them apart.

``shuffled`` is a narrator told another case's facts, ``empty`` one told none; both are judged
against the true case, and must come out far worse, or the measure is worth nothing. ``picture`` is
told the true facts and shown another face: how often that changes the text. ``seeded`` is no model
at all: the facts to the point, in sentences that a seed picks.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from assistant.interfaces import VlmBackend
from assistant.training.narrator_dialogue import explanation_text
from assistant.training.narrator_texts import told
from assistant.types import Evidence, FaceAnalysis, Image, VlmRequest
from assistant.vlm.composition import to_the_point

__all__ = ["CONTROLS", "SeededBackend", "misled"]

CONTROLS = ("shuffled", "empty", "picture")


class _Misled:
    """A backend that is told other facts, or shown another picture, than those of the case."""

    def __init__(
        self,
        inner: VlmBackend,
        name: str,
        *,
        facts: Callable[[VlmRequest], Evidence] | None = None,
        picture: Callable[[VlmRequest], Image] | None = None,
    ) -> None:
        self.name = name
        self.supports_images = inner.supports_images
        self.most_images = 1
        self._inner = inner
        self._facts, self._picture = facts, picture

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        if self._facts is not None:
            other = self._facts(request)
            true = replace(request.evidence, facts=request.facts).to_prompt()
            messages = tuple(
                replace(m, content=m.content.replace(true, other.to_prompt()))
                for m in request.messages
            )
            request = replace(request, messages=messages, evidence=other, facts=other.facts)
        if self._picture is not None:
            request = replace(request, images=(self._picture(request),))
        yield from self._inner.stream(request, cancel)

    def provenance(self) -> Mapping[str, str]:
        return {**self._inner.provenance(), "control": self.name}

    def close(self) -> None:
        """The inner backend belongs to someone else."""


class SeededBackend:
    """No model: a true sentence on each of the facts to the point, picked by a seed."""

    name = "seeded"
    supports_images = False

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        """The text at once."""
        rng = random.Random(f"{request.evidence.media_id}{request.question}0")  # noqa: S311
        chosen = replace(request.evidence, facts=request.facts)
        if request.question:
            yield " ".join(told(chosen, rng, most=1 if request.one_sentence else 6))
        else:
            yield explanation_text(chosen, rng)

    def provenance(self) -> Mapping[str, str]:
        """There is no model."""
        return {"model": "none", "decoding": "fixed"}

    def close(self) -> None:
        """Nothing to stop."""


def misled(
    inner: VlmBackend, results: Sequence[FaceAnalysis], *, control: str, seed: int = 0
) -> VlmBackend:
    """A control: ``inner`` told or shown something else than the case's own.

    Args:
        inner: the narrator.
        results: the cases, one of which stands in for another.
        control: ``shuffled``, ``empty`` or ``picture``.
        seed: picks which.
    """
    rng = random.Random(seed)  # noqa: S311 - which case stands in for which

    def other(evidence: Evidence) -> FaceAnalysis | None:
        rest = [r for r in results if r.evidence.media_id != evidence.media_id]
        far = [r for r in rest if r.evidence.verdict is not evidence.verdict] or rest
        return rng.choice(far) if far else None

    def others_facts(request: VlmRequest) -> Evidence:
        found = other(request.evidence)
        if found is None or control == "empty":
            return replace(request.evidence, facts=())
        return to_the_point(found.evidence, None)

    def others_face(request: VlmRequest) -> Image:
        found = other(request.evidence)
        return found.face.crop if found is not None else request.images[0][::-1, ::-1].copy()

    if control == "picture":
        return _Misled(inner, control, picture=others_face)
    return _Misled(inner, control, facts=others_facts)
