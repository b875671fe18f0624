"""Speed of the embedded text model: first word, tokens a second, follow-ups.

All figures of a ratio come from one run on one machine. Seconds are wall time.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.interfaces import VlmBackend
from assistant.types import Evidence, Image, VlmRequest

__all__ = ["Speed", "bench_vlm", "conversation_speed", "measure"]

_QUESTIONS = ("Why?", "How sure are you?", "What could be wrong?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One answer: seconds to the first piece, in all, and pieces (about one a token)."""

    first_seconds: float
    seconds: float
    pieces: int

    @property
    def pieces_per_second(self) -> float:
        """After the first one, so that reading the prompt does not count."""
        writing = self.seconds - self.first_seconds
        return (self.pieces - 1) / writing if writing > 0 else 0.0


def bench_vlm(*, threads: int = 2, tokens: int = 48) -> dict[str, Any]:
    """Time the embedded model on a made-up case with a picture.

    Args:
        threads: of the model.
        tokens: new tokens an answer.

    Returns:
        ``seconds`` and ``ratios`` (``followup_over_first``) and ``tokens_per_second``.
    """
    from assistant.examples import example_bytes
    from assistant.training.narrator_cases import made_up_evidence
    from assistant.vlm.llama_cpp import LlamaCppBackend
    from assistant.weights import locate

    model, mmproj = locate("narrator-smollm2-135m"), locate("mmproj-vits14")
    evidence = made_up_evidence(random.Random(0))  # noqa: S311 - not for secrets
    picture = _square(example_bytes("astronaut"))
    backend = LlamaCppBackend(
        model, mmproj, threads=threads, first_token_timeout=120, total_timeout=600
    )
    try:
        began = time.perf_counter()
        backend.start()
        loading = time.perf_counter() - began
        found = conversation_speed(backend, evidence, picture, tokens=tokens)
    finally:
        backend.close()
    rate = found.pop("tokens_per_second")
    over = found.pop("followup_over_first")
    out: dict[str, Any] = {
        "seconds": {"vlm_loading": round(loading, 3)} | {k: round(v, 3) for k, v in found.items()},
        "ratios": {"followup_over_first": round(over, 3)},
        "tokens_per_second": {"gguf": round(rate, 1)},
    }
    return out


def conversation_speed(
    backend: VlmBackend, evidence: Evidence, picture: Image, *, tokens: int = 48
) -> dict[str, float]:
    """An explanation, then three questions, with the shipped prompts.

    Returns:
        ``vlm_first_token``, ``followup_first_token`` (median), ``tokens_per_second`` (median) and
        ``followup_over_first``.
    """
    first, *later = [measure(backend, r) for r in _requests(evidence, picture, tokens)]
    waits = statistics.median(speed.first_seconds for speed in later)
    return {
        "vlm_first_token": first.first_seconds,
        "followup_first_token": waits,
        "tokens_per_second": statistics.median(s.pieces_per_second for s in (first, *later)),
        "followup_over_first": waits / first.first_seconds,
    }


def measure(backend: VlmBackend, request: VlmRequest) -> Speed:
    """Ask once and time it.

    Raises:
        ValueError: the backend wrote nothing, so there is nothing to time.
    """
    began = time.perf_counter()
    first, count = 0.0, 0
    for _ in backend.stream(request, threading.Event()):
        first = first or time.perf_counter() - began
        count += 1
    if not count:
        raise ValueError(f"the backend {backend.name} wrote nothing")
    return Speed(first_seconds=first, seconds=time.perf_counter() - began, pieces=count)


def _requests(evidence: Evidence, picture: Image, tokens: int) -> Sequence[VlmRequest]:
    """The explanation's request, then one for each question, as the narrator asks them."""
    from assistant.prompting import PromptLibrary
    from assistant.resources import resource_dir
    from assistant.routing import route
    from assistant.vlm.composition import to_the_point
    from assistant.vlm.composition.pictures import said_of_pictures

    prompts = PromptLibrary(resource_dir("prompts"))
    requests = []
    for question in ("", *_QUESTIONS):
        chosen = to_the_point(evidence, route(question).kind if question else None, question)
        prompt = prompts.get("answer" if question else "explain")
        said = {
            "facts": chosen.to_prompt(),
            "pictures": said_of_pictures(["the face"]),
            "question": question,
        }
        requests.append(
            VlmRequest(
                messages=prompt.render(**{name: said[name] for name in prompt.inputs}),
                evidence=evidence,
                question=question,
                images=(picture,),
                facts=chosen.facts,
                max_new_tokens=tokens,
            )
        )
    return requests


def _square(data: bytes) -> Image:
    """The picture's middle, 224 x 224: for timing alone, no face is looked for."""
    import io

    import numpy as np
    import PIL.Image
    import PIL.ImageOps

    with PIL.Image.open(io.BytesIO(data)) as picture:
        return np.array(PIL.ImageOps.fit(picture.convert("RGB"), (224, 224)))
