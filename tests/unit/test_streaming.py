"""A stream that hangs, dies or is stopped never takes its caller along."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from assistant.errors import Cancelled, GenerationTimeout, InferenceError, OutOfMemory
from assistant.streaming import StreamLimits, guarded

QUICK = StreamLimits(first_seconds=0.3, idle_seconds=0.3, total_seconds=1.0)


def test_pieces_arrive_in_order() -> None:
    assert list(guarded(lambda _stop: iter("abc"), limits=QUICK)) == ["a", "b", "c"]


def test_an_empty_stream_ends() -> None:
    assert list(guarded(lambda _stop: iter(()), limits=QUICK)) == []


@pytest.mark.parametrize("before", [0, 2])
def test_a_hanging_stream_times_out_and_is_told_to_stop(before: int) -> None:
    stopped = threading.Event()

    def hang(stop: threading.Event) -> Iterator[str]:
        yield from ["x"] * before
        stop.wait(10)
        stopped.set()

    got: list[str] = []
    began = time.monotonic()
    with pytest.raises(GenerationTimeout, match="gave nothing for 0 s"):
        got.extend(guarded(hang, limits=QUICK))
    assert time.monotonic() - began < 5
    assert stopped.wait(5)


def test_an_endless_stream_is_cut_at_the_total_limit() -> None:
    def endless(stop: threading.Event) -> Iterator[str]:
        while not stop.is_set():
            time.sleep(0.01)
            yield "x"

    with pytest.raises(GenerationTimeout, match="was not done after 1 s"):
        list(guarded(endless, limits=QUICK))


def test_a_failing_stream_raises_a_typed_error_with_its_cause() -> None:
    def fail(_stop: threading.Event) -> Iterator[str]:
        yield "x"
        raise ZeroDivisionError("secret detail")

    with pytest.raises(InferenceError) as caught:
        list(guarded(fail, limits=QUICK))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "secret detail" not in caught.value.user_message


def test_a_typed_error_passes_unchanged() -> None:
    def fail(_stop: threading.Event) -> Iterator[str]:
        raise OutOfMemory("too little memory")
        yield ""

    with pytest.raises(OutOfMemory):
        list(guarded(fail, limits=QUICK))


def test_cancel_stops_before_the_next_piece() -> None:
    cancel = threading.Event()
    stream = guarded(lambda _stop: iter("abc"), limits=QUICK, cancel=cancel)
    assert next(stream) == "a"
    cancel.set()
    with pytest.raises(Cancelled):
        next(stream)


def test_leaving_the_loop_tells_the_stream_to_stop() -> None:
    stops: list[threading.Event] = []

    def slow(stop: threading.Event) -> Iterator[str]:
        stops.append(stop)
        while not stop.wait(0.01):
            yield "x"

    stream = guarded(slow, limits=QUICK)
    next(stream)
    stream.close()
    assert stops[0].wait(2)
