"""Speed of the embedded text model: first word, tokens a second, follow-ups.

All figures of a ratio come from one run on one machine. Seconds are wall time.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import threading
import time
from typing import Any

from assistant.edits import shrunk
from assistant.examples import example_bytes
from assistant.interfaces import VlmBackend
from assistant.media import load_media
from assistant.types import Evidence, Image, VlmRequest

__all__ = ["bench_vlm"]

_QUESTIONS = ("Why?", "How sure are you?", "What could be wrong?")
_TOKENS = 48


def bench_vlm() -> dict[str, Any]:
    """Time the embedded model on a made-up case with a picture: an explanation, three questions.

    Returns:
        ``seconds``, ``ratios`` (``followup_over_first``) and ``tokens_per_second`` (median, of 48
        new tokens an answer, on two threads).
    """
    from assistant.training.narrator_cases import made_up_evidence
    from assistant.vlm.llama_cpp import LlamaCppBackend
    from assistant.weights import locate

    evidence = made_up_evidence(random.Random(0))  # noqa: S311 - not for secrets
    # for timing alone, so no face is looked for
    picture = shrunk(load_media(example_bytes("astronaut")).frames[0], 224 / 512, back=False)
    made = LlamaCppBackend(
        locate("narrator-smollm2-135m"),
        locate("mmproj-vits14"),
        threads=2,
        first_token_timeout=120,
        total_timeout=600,
    )
    with contextlib.closing(made) as backend:
        began = time.perf_counter()
        backend.start()
        loading = time.perf_counter() - began
        told = [_timed(backend, request) for request in _requests(evidence, picture)]
    (first, _), *later = told
    waits = statistics.median(seconds for seconds, _ in later)
    return {
        "seconds": {
            "vlm_loading": round(loading, 3),
            "vlm_first_token": round(first, 3),
            "followup_first_token": round(waits, 3),
        },
        "ratios": {"followup_over_first": round(waits / first, 3)},
        "tokens_per_second": {"gguf": round(statistics.median(rate for _, rate in told), 1)},
    }


def _timed(backend: VlmBackend, request: VlmRequest) -> tuple[float, float]:
    """Seconds to the first piece of an answer, and pieces (about one a token) a second after it."""
    began = time.perf_counter()
    at = [time.perf_counter() - began for _ in backend.stream(request, threading.Event())]
    if not at:
        raise ValueError(f"the backend {backend.name} wrote nothing")
    writing = at[-1] - at[0]
    return at[0], (len(at) - 1) / writing if writing > 0 else 0.0


def _requests(evidence: Evidence, picture: Image) -> list[VlmRequest]:
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
                max_new_tokens=_TOKENS,
            )
        )
    return requests
