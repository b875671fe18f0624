"""ZeroGPU: a Space whose GPU is there only inside functions that ask for it.

The package ``spaces`` is there on such Spaces alone. It runs each decorated function in a process
of its own for a limited time, and pickles what goes in: pictures and messages do, events do not.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant.types import Evidence, Image, Verdict, VlmRequest

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

__all__ = ["on_zero_gpu", "scoring_seconds", "writing_seconds"]

# Must be imported before torch is. (In a checkout, ``spaces`` is also the name of a folder.)
_SPACES: Any = importlib.import_module("spaces") if os.environ.get("SPACES_ZERO_GPU") else None

_TRACING_SECONDS = 15
_INSIDE: ContextVar[bool] = ContextVar("inside_gpu_call", default=False)

# A worker needs no evidence to write: the check of its words is done outside, on the real one.
_NO_EVIDENCE = Evidence(
    media_id="",
    face_index=0,
    verdict=Verdict.UNCERTAIN,
    probability=0.5,
    interval=(0.0, 1.0),
    facts=(),
)


def scoring_seconds(crops: Sequence[Image], **_: Any) -> int:
    """How long the GPU is asked for to score some crops, in seconds."""
    return 10 + len(crops) // 8


def writing_seconds(request: VlmRequest) -> int:
    """How long the GPU is asked for to write a text, in seconds."""
    return 20 + request.max_new_tokens // 10


def on_zero_gpu(assistant: Assistant, *, spaces: Any = None) -> Assistant:
    """The same assistant, its models working inside GPU calls where this is a ZeroGPU Space.

    Args:
        assistant: changed in place.
        spaces: what has the decorator ``GPU``; None: the package on a ZeroGPU Space, and elsewhere
            nothing, so that the assistant stays as it is.
    """
    spaces = spaces or _SPACES
    if spaces is None:
        return assistant
    detector: Any = assistant.detector
    detector.logits = _on_gpu(spaces, scoring_seconds, detector.logits)
    if hasattr(detector, "read"):
        detector.read = _on_gpu(spaces, scoring_seconds, detector.read)
    if hasattr(detector, "trace"):
        detector.trace = _on_gpu(spaces, _TRACING_SECONDS, detector.trace)
    vlm: Any = assistant.vlm
    if vlm.name != "transformers":  # the others do not compute in this process
        return assistant
    inner = vlm.stream

    @spaces.GPU(duration=writing_seconds)  # type: ignore[untyped-decorator]
    def written(request: VlmRequest) -> Iterator[str]:
        yield from inner(request, threading.Event())

    def stream(request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        for piece in written(replace(request, evidence=_NO_EVIDENCE, facts=())):
            if cancel.is_set():
                return
            yield piece

    vlm.stream = stream
    return assistant


def _on_gpu(spaces: Any, seconds: Any, method: Callable[..., Any]) -> Callable[..., Any]:
    """The method in a GPU call of its own, unless it is called from within one."""

    def inside(*values: Any, **named: Any) -> Any:
        token = _INSIDE.set(True)
        try:
            return method(*values, **named)
        finally:
            _INSIDE.reset(token)

    asked = spaces.GPU(duration=seconds)(inside)

    def call(*values: Any, **named: Any) -> Any:
        return (method if _INSIDE.get() else asked)(*values, **named)

    return call
