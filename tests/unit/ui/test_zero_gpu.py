import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from assistant.fakes import demo_assistant
from assistant.types import Evidence, Message, Verdict, VlmRequest
from assistant.ui.zero_gpu import on_zero_gpu, scoring_seconds, writing_seconds

CROP = np.full((224, 224, 3), 150, np.uint8)
EVIDENCE = Evidence(
    media_id="m",
    face_index=0,
    verdict=Verdict.UNCERTAIN,
    probability=0.5,
    interval=(0.4, 0.6),
    facts=(),
)
REQUEST = VlmRequest(
    messages=(Message(role="user", content="go"),), evidence=EVIDENCE, max_new_tokens=100
)


class FakeSpaces:
    """Pickles what goes into a decorated function, as the real package does."""

    def __init__(self) -> None:
        self.seconds: list[int] = []

    def GPU(self, duration: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            def run(*values: Any, **named: Any) -> Any:
                values, named = pickle.loads(pickle.dumps((values, named)))
                self.seconds.append(duration(*values, **named) if callable(duration) else duration)
                return function(*values, **named)

            return run

        return decorate


class Writer:
    name = "transformers"
    supports_images = True

    def stream(self, request: VlmRequest, cancel: threading.Event) -> Iterator[str]:
        for message in request.messages:
            yield from message.content

    def provenance(self) -> dict[str, str]:
        return {}

    def close(self) -> None:
        return


def test_elsewhere_nothing_changes() -> None:
    assistant = demo_assistant()
    assert on_zero_gpu(assistant) is assistant
    assert "logits" not in vars(assistant.detector)


def test_scoring_and_writing_go_through_gpu_calls_with_what_can_be_pickled() -> None:
    spaces = FakeSpaces()
    plain = demo_assistant().detector.logits([CROP])
    assistant = on_zero_gpu(demo_assistant(Writer()), spaces=spaces)
    assert assistant.detector.logits([CROP]) == plain
    assert assistant.detector.trace(CROP).logit == plain[0]  # type: ignore[attr-defined]
    assert "".join(assistant.vlm.stream(REQUEST, threading.Event())) == "go"
    assert spaces.seconds == [scoring_seconds([CROP]), 15, writing_seconds(REQUEST)]


def test_a_stopped_text_ends_and_a_cpu_backend_is_left_alone() -> None:
    stopped = threading.Event()
    stopped.set()
    assistant = on_zero_gpu(demo_assistant(Writer()), spaces=FakeSpaces())
    assert list(assistant.vlm.stream(REQUEST, stopped)) == []
    template = on_zero_gpu(demo_assistant(), spaces=FakeSpaces())
    assert "stream" not in vars(template.vlm)
